/**
 * The report on a recording of a real kernel.
 *
 * @module
 */

import { RULES } from "../../conformance/mod.ts";
import {
  EXIT_OK,
  EXIT_USAGE,
  EXIT_VIOLATED,
  type Io,
  type Style,
  styleOf,
  wrapText,
} from "../cli.ts";
import { MADE_EVENTS } from "./made_events.ts";
import { LINE } from "./line.ts";
import { compareOutcome, expectOutcome, type Outcome } from "./outcome.ts";
import { CODE } from "./probes.ts";
import { RecordingReader } from "./reader.ts";
import type { Finding } from "./recording.ts";
import { RECORDING_RULES, type RecordingRule } from "./rules.ts";

/** Violations of a rule, and bad lines, that are shown; others are counted. */
const MAX_SHOWN = 3;

/** How a recording is checked. */
export interface RecordingOptions {
  /** What user space saw of it, or null. */
  readonly outcome: Outcome | null;
  /** Whether to list every rule that it cannot decide. */
  readonly undecided: boolean;
}

/**
 * Checks a recording while it comes.
 *
 * @param name What to call it.
 * @param chunks Its bytes; what was given must not change afterwards.
 * @param options How.
 * @param io Where to report.
 * @returns The exit status.
 */
export async function checkRecording(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  options: RecordingOptions,
  io: Io,
): Promise<number> {
  const report = new RecordingReport(name, options, io);
  for await (const chunk of chunks) await report.push(chunk);
  return await report.sumUp();
}

/** Rules that the suite checks in the simulation alone, and why. */
function suiteOnly(): { readonly id: string; readonly lack: string }[] {
  const known = new Set(RECORDING_RULES.map(({ id }) => id));
  return RULES.filter(({ id }) => !known.has(id)).map(({ id, needs }) => ({
    id,
    lack: needs?.find((ev) => !MADE_EVENTS.has(ev)) ??
      "what only the simulation sees",
  }));
}

/** The report on one recording, written while it is read. */
class RecordingReport {
  readonly #name: string;
  readonly #options: RecordingOptions;
  readonly #io: Io;
  readonly #style: Style;
  readonly #reader: RecordingReader = new RecordingReader();
  /** Violations by rule. */
  readonly #counts: Map<number, number> = new Map();
  #total = 0;
  #bad = 0;

  constructor(name: string, options: RecordingOptions, io: Io) {
    const { outcome } = options;
    this.#name = name;
    this.#options = options;
    this.#io = io;
    this.#style = styleOf(io.color);
    if (outcome) expectOutcome(this.#reader.recording, outcome);
  }

  /** Takes the next piece. */
  async push(chunk: Uint8Array): Promise<void> {
    this.#reader.push(chunk);
    await this.#drain();
  }

  /** Writes the last lines. */
  async sumUp(): Promise<number> {
    const { recording } = this.#reader;
    this.#reader.end();
    const { outcome } = this.#options;
    if (outcome) compareOutcome(recording, outcome);
    await this.#drain();
    for (const [rule, count] of this.#counts) {
      const more = count - MAX_SHOWN;
      if (more <= 0) continue;
      const { id } = ruleAt(rule);
      await this.#write(
        `${this.#name}: ${id}: ${plural(more, "more violation")}\n`,
      );
    }
    if (countEvents(recording.lines) === 0) return await this.#tellNothing();
    const isCut = await this.#tellMissing();
    await this.#write(this.#summary(isCut));
    await this.#tellUndecided();
    if (this.#total > 0) return EXIT_VIOLATED;
    return isCut || this.#bad > 0 ? EXIT_USAGE : EXIT_OK;
  }

  async #drain(): Promise<void> {
    const { recording, bad } = this.#reader;
    for (const { line, message } of bad.splice(0)) {
      if (++this.#bad > MAX_SHOWN) continue;
      await this.#io.err.write(`${this.#name}:${line}: ${message}\n`);
    }
    for (const finding of recording.findings.splice(0)) {
      const count = (this.#counts.get(finding.rule) ?? 0) + 1;
      this.#counts.set(finding.rule, count);
      this.#total++;
      if (count <= MAX_SHOWN) await this.#write(this.#describe(finding));
    }
  }

  #describe({ rule, expected, lines }: Finding): string {
    const { bold, red, dim } = this.#style;
    const { id, sentence } = ruleAt(rule);
    const width = Math.max(40, this.#io.columns) - 3;
    const shown = lines.map((no) => {
      const text = this.#reader.text(no);
      if (text === null) return dim(`  line ${no}  (too far back to be shown)`);
      const line = `line ${no}  ${withoutPlace(text)}`;
      return `  ${line.length > width ? `${line.slice(0, width - 1)}…` : line}`;
    });
    return `${bold(`${this.#name}:${lines.at(-1)}`)}: ${
      red(id)
    }: ${sentence}\n` +
      `  expected ${expected}\n${shown.map((line) => `${line}\n`).join("")}`;
  }

  /** Tells that it is something else. */
  async #tellNothing(): Promise<number> {
    await this.#io.err.write(
      `${this.#name}:1: no event in it: neither a trace of endio nor ftrace text\n`,
    );
    return EXIT_USAGE;
  }

  /** Tells of what is not there. */
  async #tellMissing(): Promise<boolean> {
    const { recording } = this.#reader;
    const { announced, thinned } = recording.inventory;
    const more = this.#bad - MAX_SHOWN;
    if (more > 0) {
      await this.#io.err.write(
        `${this.#name}: ${plural(more, "more line")} of that kind\n`,
      );
    }
    const read = countEvents(recording.lines) + thinned;
    if (Number.isNaN(announced) || read >= announced) return false;
    await this.#io.err.write(
      `${this.#name}: ${
        plural(announced - read, "line")
      } of the ${announced} that its header announces ${
        announced - read === 1 ? "is" : "are"
      } missing; take the header away if that is meant\n`,
    );
    return true;
  }

  #summary(isCut: boolean): string {
    const { recording } = this.#reader;
    const { red, green } = this.#style;
    const rules =
      RECORDING_RULES.filter((rule, at) =>
        (recording.exercised[at] ?? 0) > 0 && this.#lackOf(rule) === null
      ).length;
    const paint = this.#total > 0 ? red : green;
    const { lost } = recording;
    const missed = this.#options.outcome?.missed ?? 0;
    return `${this.#name}: ${
      [
        plural(countEvents(recording.lines), "line"),
        plural(recording.newestDio, "direct I/O"),
        `${plural(rules, "rule")} exercised`,
        paint(plural(this.#total, "violation")),
        ...lost > 0 ? [`${plural(lost, "event")} lost`] : [],
        ...missed > 0 ? [`${plural(missed, "hit")} of probes missed`] : [],
        ...isCut ? ["cut short"] : [],
      ].join(", ")
    }\n`;
  }

  /** Tells which rules the recording cannot decide, and what it lacks. */
  async #tellUndecided(): Promise<void> {
    const byLack = new Map<string, string[]>();
    RECORDING_RULES.forEach((rule, at) => {
      const lack = this.#lackOf(rule);
      if (lack === null || this.#counts.has(at)) return;
      byLack.set(lack, [...byLack.get(lack) ?? [], rule.id]);
    });
    const elsewhere = suiteOnly();
    if (this.#options.undecided) {
      for (const { id, lack } of elsewhere) {
        byLack.set(lack, [...byLack.get(lack) ?? [], id]);
      }
    }
    const width = Math.max(40, this.#io.columns) - 4;
    const { dim } = this.#style;
    const texts = [...byLack].map(([lack, ids]) =>
      `not decidable without ${lack}: ${ids.join(", ")}`
    );
    if (!this.#options.undecided && elsewhere.length > 0) {
      texts.push(
        `not decidable from ftrace: ${elsewhere.length} rules of the suite; --undecided lists them`,
      );
    }
    for (const text of texts) {
      const lines = wrapText(text, width).map((line, i) =>
        `  ${i > 0 ? "  " : ""}${line}\n`
      );
      await this.#write(dim(lines.join("")));
    }
  }

  /** The first probe that a rule cannot do without and that was not set. */
  #lackOf({ needs }: RecordingRule): string | null {
    const { inventory } = this.#reader.recording;
    const lacking = needs.find((choices) =>
      choices.every((name) => !inventory.shows(CODE[name]))
    );
    return lacking === undefined ? null : lacking.join(" or ");
  }

  #write(text: string): Promise<void> {
    return this.#io.out.write(text);
  }
}

/** A line in little room: its name says which function it is in. */
function withoutPlace(text: string): string {
  return text.trim().replaceAll(/ {2,}/g, " ")
    .replace(/(: [\w.]+:) \([^()]*\) (?=\S)/, "$1 ");
}

function ruleAt(at: number): RecordingRule {
  return RECORDING_RULES[at] as RecordingRule;
}

function countEvents(lines: Int32Array): number {
  return (lines[LINE.event] ?? 0) + (lines[LINE.call] ?? 0);
}

function plural(count: number, what: string): string {
  const isOne = count === 1 || what.endsWith("O");
  return `${count} ${what}${isOne ? "" : "s"}`;
}
