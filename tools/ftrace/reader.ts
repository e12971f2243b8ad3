/**
 * Reads a recording from bytes as they come, in memory that does not grow
 * with it.
 *
 * @module
 */

import { LINE } from "./line.ts";
import { CODE, codeName } from "./probes.ts";
import { Recording } from "./recording.ts";

/** The longest line that is read; the kernel's own end much earlier. */
export const MAX_LINE_BYTES: number = 1 << 16;
/** Lines that can still be shown, a power of 2. */
const KEPT_LINES = 1 << 14;
/** Pieces of the file that they lie in. */
const KEPT_BLOCKS = 64;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** A line that could not be read. */
export interface BadLine {
  /** Its number, from 1. */
  readonly line: number;
  /** Why not. */
  readonly message: string;
}

/** A recording that is read piece by piece. */
export class RecordingReader {
  /** What was read. */
  readonly recording: Recording = new Recording();
  /** Lines that could not be read, until somebody takes them. */
  readonly bad: BadLine[] = [];
  /** Called after each line. */
  onLine: (() => void) | null = null;
  #carry: Uint8Array = new Uint8Array(0);
  #skips = false;
  readonly #blocks: Uint8Array[] = [];
  #block = -1;
  readonly #blockOf: Int32Array = new Int32Array(KEPT_LINES);
  readonly #from: Int32Array = new Int32Array(KEPT_LINES);
  readonly #to: Int32Array = new Int32Array(KEPT_LINES);

  /**
   * Reads the next piece.
   *
   * @param chunk The piece; it must not change afterwards.
   */
  push(chunk: Uint8Array): void {
    const block = this.#carry.length === 0 ? chunk : joined(this.#carry, chunk);
    this.#blocks[++this.#block % KEPT_BLOCKS] = block;
    let from = 0;
    for (;;) {
      const to = block.indexOf(LINE_FEED, from);
      if (to < 0) break;
      if (this.#skips) this.#skipped();
      else this.#line(block, from, to);
      from = to + 1;
    }
    const rest = block.length - from;
    if (rest > MAX_LINE_BYTES) this.#skips = true;
    this.#carry = this.#skips ? block.subarray(0, 0) : block.subarray(from);
  }

  /**
   * Ends the recording. A last line that is cut short is not read, unless
   * nothing follows from it.
   */
  end(): void {
    const rest = this.#carry;
    this.#carry = rest.subarray(0, 0);
    if (this.#skips) return this.#skipped();
    if (rest.length === 0) return;
    this.#blocks[++this.#block % KEPT_BLOCKS] = rest;
    const { line, names } = this.recording;
    const kind = line.parse(rest, 0, rest.length);
    const name = names.at(rest, line.nameAt, line.nameEnd);
    const isMark = kind === LINE.event &&
      names.text(name) === codeName(CODE.tracing_mark_write);
    if (isMark || kind === LINE.note) return this.#line(rest, 0, rest.length);
    this.recording.no++;
    this.bad.push({
      line: this.recording.no,
      message: "the recording ends in the middle of this line",
    });
  }

  /**
   * A line that was read not long ago.
   *
   * @param no Its number.
   * @returns Its text, or null when it is too far back.
   */
  text(no: number): string | null {
    const last = this.recording.no;
    if (no < 1 || no <= last - KEPT_LINES || no > last) return null;
    const slot = no % KEPT_LINES;
    const at = this.#blockOf[slot] as number;
    if (at <= this.#block - KEPT_BLOCKS) return null;
    const block = this.#blocks[at % KEPT_BLOCKS];
    return new TextDecoder().decode(
      block?.subarray(this.#from[slot], this.#to[slot]),
    );
  }

  #line(block: Uint8Array, from: number, end: number): void {
    const { recording } = this;
    const to = block[end - 1] === RETURN && end > from ? end - 1 : end;
    if (to - from > MAX_LINE_BYTES) return this.#skipped();
    const slot = (recording.no + 1) % KEPT_LINES;
    this.#blockOf[slot] = this.#block;
    this.#from[slot] = from;
    this.#to[slot] = to;
    const kind = recording.push(block, from, to);
    if (kind === LINE.bad) {
      const message = "this is no line of ftrace text";
      this.bad.push({ line: recording.no, message });
    } else if (kind === LINE.note) this.#comment(block, from, to);
    this.onLine?.();
  }

  #comment(block: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    const text = new TextDecoder().decode(block.subarray(from, to));
    this.recording.inventory.readComment(text);
  }

  #skipped(): void {
    this.#skips = false;
    this.recording.no++;
    this.recording.lines[LINE.bad]! += 1;
    this.bad.push({
      line: this.recording.no,
      message: `this line is longer than ${MAX_LINE_BYTES} bytes`,
    });
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
