/**
 * A peer of the exploration: SPIN on a hand-written Promela model of the same
 * protocol, which has far fewer steps than the code.
 *
 * @module
 */

import type { Subject } from "./harness.ts";

const MODEL = new URL("./dio.pml", import.meta.url);
/** How deep its search may go; it goes 179 deep for two dios of three bios. */
const DEPTH = 100_000;
/** What it may use, in MiB; it uses 922 for two dios of three bios. */
const MEMORY = 8000;

/** What Deno has to be told. The C compiler could run anything anyway. */
const COMMAND =
  "deno run --allow-run --allow-write=/tmp tools/bench.ts explore --compare spin";

/** A program that was to run, and did not or not well. */
class ProgramError extends Error {}

/** The search of SPIN, with partial-order reduction: its default. */
export class SpinSearch implements Subject {
  /** Its name. */
  readonly name =
    "SPIN with partial-order reduction, a Promela model of the protocol";
  readonly #definitions: readonly string[];
  #directory = "";
  #states = "";
  #buildSeconds = 0;

  /**
   * Describes a search.
   *
   * @param dios How many requests.
   * @param bios How many bios each of them has.
   */
  constructor(dios: number, bios: number) {
    this.#definitions = [`-DD=${dios}`, `-DN=${bios}`];
  }

  /** Generates the program and compiles it. */
  async prepare(): Promise<string | null> {
    try {
      const start = performance.now();
      await this.#build();
      this.#buildSeconds = (performance.now() - start) / 1000;
      return null;
    } catch (error) {
      if (error instanceof ProgramError) return error.message;
      if (error instanceof Deno.errors.NotCapable) {
        return `Deno may not run it; use ${COMMAND}`;
      }
      throw error;
    }
  }

  /** Runs the program. */
  async run(n: number): Promise<void> {
    for (let i = 0; i < n; i++) {
      const report = await this.#output("./pan", `-m${DEPTH}`);
      const states = /^\s*(\d+) states, stored$/m.exec(report)?.[1];
      if (states === undefined || !/errors: 0\b/.test(report)) {
        throw new Error(`SPIN did not come to its end: ${report}`);
      }
      this.#states = states;
    }
  }

  /** How much it has searched. */
  note(): string {
    return `${this.#states} states; generated and compiled in ${
      this.#buildSeconds.toFixed(1)
    } s more`;
  }

  /** Removes the program. */
  async close(): Promise<void> {
    if (this.#directory === "") return;
    await Deno.remove(this.#directory, { recursive: true });
    this.#directory = "";
  }

  async #build(): Promise<void> {
    this.#directory = await Deno.makeTempDir({
      dir: "/tmp",
      prefix: "endio-spin-",
    });
    const model = decodeURIComponent(MODEL.pathname);
    await this.#output("spin", "-a", ...this.#definitions, model);
    const flags = ["-O2", `-DMEMLIM=${MEMORY}`];
    await this.#output("cc", ...flags, "-o", "pan", "pan.c");
  }

  /** Runs a program in the directory, and gives what it writes. */
  async #output(program: string, ...args: string[]): Promise<string> {
    const cwd = this.#directory;
    const options = { args, cwd, stdin: "null" } as const;
    let output: Deno.CommandOutput;
    try {
      output = await new Deno.Command(program, options).output();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new ProgramError(
        `${program} is not installed; it takes spin and a C compiler`,
      );
    }
    const text = new TextDecoder().decode(output.stdout);
    if (output.success) return text;
    const said = text + new TextDecoder().decode(output.stderr);
    throw new ProgramError(`${program} fails: ${said.trim().split("\n")[0]}`);
  }
}
