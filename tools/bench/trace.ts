/**
 * Benchmark `trace`: what checking the ftrace text of a real kernel costs
 * against reading it alone, and whether it takes more memory as it goes on.
 *
 * @module
 */

import { EXIT_OK } from "../cli.ts";
import { Args } from "../ftrace/args.ts";
import { checkRecording } from "../ftrace/check.ts";
import { FtraceLine, LINE } from "../ftrace/line.ts";
import { Names } from "../ftrace/names.ts";
import { Probes } from "../ftrace/probes.ts";
import { fakeIo } from "../testdata/fake_io.ts";
import { noRecordings, readRecordings } from "../testdata/recordings.ts";
import type { Benchmark, Subject } from "./harness.ts";

const MIB = 1 << 20;
/** Events of a round, 24 MiB. */
const UNITS = 160_000;
/** Events of a long recording, 1 GiB. */
const MANY = 7_100_000;
/** Those of one that is new every 64 MiB. */
const SOME = MANY / 16;
/** By so much more the second half of a long one may need than the first. */
const MAX_GROWTH = 64 * MIB;
const CHUNK = 1 << 16;
const TIME = /^(.*?\] \S+\s+)\s(\d+)\.(\d{6})(: .*)$/;
/** Digits of the seconds of a line, so that they can be written over. */
const DIGITS = 8;
const ZERO = 0x30;

/** Ftrace text that goes on for ever. */
class EndlessText {
  readonly #bytes: Uint8Array;
  /** Where the seconds of each line are, and what they are at first. */
  readonly #places: Int32Array;
  readonly #seconds: Float64Array;
  readonly #duration: number;
  /** How many events it has before it is repeated. */
  readonly events: number;

  constructor() {
    const { lines, duration } = oneAfterTheOther();
    this.events = lines.length;
    this.#duration = duration;
    this.#places = new Int32Array(lines.length);
    this.#seconds = new Float64Array(lines.length);
    let length = 0;
    lines.forEach(([before, seconds, after], i) => {
      this.#places[i] = length + before.length;
      this.#seconds[i] = seconds;
      length += before.length + DIGITS + after.length;
    });
    const text = lines.map(([before, , after]) =>
      `${before}${"0".repeat(DIGITS)}${after}`
    ).join("");
    this.#bytes = new TextEncoder().encode(text);
  }

  /** Its bytes, of at least so many events. */
  *chunks(events: number): Generator<Uint8Array, void, void> {
    for (let round = 0; round * this.events < events; round++) {
      const bytes = this.#bytes.slice();
      this.#places.forEach((place, i) => {
        let rest = this.#seconds[i]! + round * this.#duration;
        for (let at = place + DIGITS - 1; at >= place; at--) {
          bytes[at] = ZERO + rest % 10;
          rest = Math.floor(rest / 10);
        }
      });
      for (let at = 0; at < bytes.length; at += CHUNK) {
        yield bytes.subarray(at, at + CHUNK);
      }
    }
  }
}

type TimedLine = readonly [before: string, seconds: number, after: string];

/** The recordings that break no rule, as one. */
function oneAfterTheOther(): { lines: TimedLine[]; duration: number } {
  const lines: TimedLine[] = [];
  let now = 0;
  for (const { lines: own, outcome } of readRecordings(true)) {
    if (outcome?.missed !== 0 || own.some(isThinned)) continue;
    const timed = own.flatMap((line) => {
      const match = TIME.exec(line);
      return match === null ? [] : [match];
    });
    const first = Number(timed[0]?.[2]);
    let last = 0;
    for (const [, before, seconds, micros, after] of timed) {
      last = now + Number(seconds) - first;
      lines.push([before!, last, `.${micros}${after}\n`]);
    }
    now = last + 1;
  }
  return { lines, duration: now };
}

function isThinned(line: string): boolean {
  return line.startsWith("# TRIMMED");
}

/** `trace.ts check` of a recording, and of a new one after so many events. */
class Checking implements Subject {
  readonly name: string;
  readonly #each: number;
  #text: EndlessText | null = null;
  #perSecond = 0;
  #growth = -1;

  constructor(name: string, each: number = Infinity) {
    this.name = name;
    this.#each = each;
  }

  prepare(): Promise<string | null> {
    if (noRecordings !== "") return Promise.resolve(noRecordings);
    this.#text ??= new EndlessText();
    return Promise.resolve(null);
  }

  async run(n: number): Promise<void> {
    const start = performance.now();
    for (let done = 0; done < n; done += this.#each) {
      await this.#check(Math.min(n - done, this.#each));
    }
    this.#perSecond = n / (performance.now() - start) * 1000;
  }

  async #check(events: number): Promise<void> {
    const text = this.#text as EndlessText;
    const sizes: number[] = [];
    let read = 0;
    async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
      for (const chunk of text.chunks(events)) {
        yield await Promise.resolve(chunk);
        read += chunk.length;
        if (read % MIB < CHUNK) sizes.push(Deno.memoryUsage().rss);
      }
    }
    const options = { outcome: null, undecided: false };
    const status = await checkRecording("long", chunks(), options, fakeIo());
    if (status !== EXIT_OK) throw new Error("A right recording breaks a rule");
    this.#growth = growthOf(sizes);
    if (this.#growth > MAX_GROWTH) {
      throw new Error(`Memory grows by ${Math.ceil(this.#growth / MIB)} MiB`);
    }
  }

  note(): string {
    const speed = `${(this.#perSecond / 1e6).toFixed(2)} million events/s`;
    return this.#growth < 0
      ? speed
      : `${speed}, memory grows by ${Math.ceil(this.#growth / MIB)} MiB`;
  }
}

/** By how much the second half needs more than the first; -1 for little. */
function growthOf(sizes: readonly number[]): number {
  if (sizes.length < 512) return -1;
  const half = sizes.length >> 1;
  const first = Math.max(...sizes.slice(0, half));
  return Math.max(0, Math.max(...sizes.slice(half)) - first);
}

/** Every line taken apart, down to the numbers of its arguments. */
class Parsing implements Subject {
  readonly name = "parsing alone";
  #text: EndlessText | null = null;
  #perSecond = 0;

  prepare(): Promise<string | null> {
    if (noRecordings === "") this.#text ??= new EndlessText();
    return Promise.resolve(noRecordings === "" ? null : noRecordings);
  }

  run(n: number): void {
    const start = performance.now();
    const line = new FtraceLine();
    const names = new Names();
    const probes = new Probes(names);
    const args = new Args(names);
    let carry = new Uint8Array(0);
    for (const chunk of (this.#text as EndlessText).chunks(n)) {
      const block = new Uint8Array(carry.length + chunk.length);
      block.set(carry);
      block.set(chunk, carry.length);
      let from = 0;
      for (;;) {
        const to = block.indexOf(0x0a, from);
        if (to < 0) break;
        if (line.parse(block, from, to) === LINE.event) {
          args.read(line, probes.of(line).layout);
        }
        from = to + 1;
      }
      carry = block.slice(from);
    }
    this.#perSecond = n / (performance.now() - start) * 1000;
  }

  note(): string {
    return `${(this.#perSecond / 1e6).toFixed(2)} million events/s`;
  }
}

/** The benchmark. */
export const TRACE_BENCHMARK: Benchmark = {
  name: "trace",
  about: "checking ftrace text against reading it, and 1 GiB of it",
  units: UNITS,
  comparisons: [
    {
      subject: new Checking("check of ftrace text"),
      peer: new Parsing(),
      unit: "event",
      atMost: 2,
    },
    {
      subject: new Checking("check of 1 GiB"),
      peer: new Checking("check of 64 MiB, again and again", SOME),
      unit: "event",
      atMost: 1.2,
      units: MANY,
      rounds: 1,
      warmUp: 0,
    },
  ],
};
