/**
 * The arguments of a line, as numbers.
 *
 * @module
 */

import type { FtraceLine } from "./line.ts";
import type { Names } from "./names.ts";

const KEYS = [
  "bio",
  "bit",
  "bytes",
  "caller",
  "count",
  "create",
  "datasync",
  "defer",
  "defer_completion",
  "dio",
  "dio_bio_status",
  "dio_flags",
  "dio_ref",
  "dio_size",
  "done_before",
  "dops",
  "end",
  "end_io",
  "err",
  "error",
  "flags",
  "fn",
  "function",
  "i_dio_count",
  "i_dio_count_before",
  "i_size",
  "iblock",
  "inode",
  "io_error",
  "iocb",
  "is_async",
  "ki_complete",
  "ki_flags",
  "ki_pos",
  "lblock",
  "len",
  "mark_dirty",
  "nr_pages",
  "nrpages",
  "off",
  "op",
  "opf",
  "page_errors",
  "pos",
  "private",
  "ref",
  "ref_before",
  "refcount",
  "refcount_after",
  "refcount_before",
  "remaining",
  "res",
  "result",
  "ret",
  "s_id",
  "sb",
  "sector",
  "should_dirty",
  "size",
  "start",
  "status",
  "struct",
  "wait_for_completion",
  "word",
  "work",
  "workqueue",
  "wq",
] as const;

/** An argument that is read. */
export type Key = typeof KEYS[number];

/** The place of each argument among the values. */
export const KEY: Readonly<Record<Key, number>> = Object.fromEntries(
  KEYS.map((name, at) => [name, at]),
) as Record<Key, number>;

const KEY_BYTES: readonly Uint8Array[] = KEYS.map((name) =>
  new TextEncoder().encode(name)
);
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const DASH = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const EQUALS = 0x3d;
const LOWER_X = 0x78;
/** Digits of an address that a number holds exactly. */
const ADDRESS_DIGITS = 13;
/** Of these, what fits into 32 bits. */
const LOW_DIGITS = 8;

/** The arguments of one line; the same object takes one after the other. */
export class Args {
  readonly #names: Names;
  /** By the number of the argument's name: its place, plus 1. */
  readonly #places: Int32Array;
  readonly #values: Float64Array = new Float64Array(KEYS.length);
  /** The line that a value is of. */
  readonly #lines: Int32Array = new Int32Array(KEYS.length);
  #line = 0;

  /**
   * Prepares to read.
   *
   * @param names The recording's names, in which those of arguments and of
   * functions are noted.
   */
  constructor(names: Names) {
    this.#names = names;
    const ids = KEY_BYTES.map((bytes) => names.at(bytes, 0, bytes.length));
    this.#places = new Int32Array(Math.max(...ids) + 1);
    ids.forEach((id, at) => this.#places[id] = at + 1);
  }

  /**
   * Whether the line has an argument.
   *
   * @param key The argument, of {@linkcode KEY}.
   * @returns True when it does.
   */
  has(key: number): boolean {
    return this.#lines[key] === this.#line;
  }

  /**
   * An argument.
   *
   * @param key The argument, of {@linkcode KEY}.
   * @returns A number; of an address as many bits as fit, of a symbol or a
   * string the number of its name. NaN when the line does not have it.
   */
  get(key: number): number {
    return this.#lines[key] === this.#line ? this.#values[key] as number : NaN;
  }

  /** A line without any. */
  clear(): void {
    this.#line++;
  }

  /**
   * Reads the arguments of a line: `key=value`, with blanks between.
   *
   * @param line The line.
   * @param layout What the arguments of the line's probe were so far.
   */
  read(line: FtraceLine, layout: ArgLayout[]): void {
    const { bytes, argsEnd } = line;
    this.#line++;
    let at = line.argsAt;
    if (bytes[at] === OPEN) {
      while (at < argsEnd && bytes[at] !== CLOSE) at++;
      at++;
    }
    let nth = 0;
    while (at < argsEnd) {
      while (at < argsEnd && bytes[at] === SPACE) at++;
      const from = at;
      let arg = layout[nth];
      if (arg === undefined || !isAt(arg.key, bytes, from)) {
        while (at < argsEnd && bytes[at] !== EQUALS && bytes[at] !== SPACE) {
          at++;
        }
        if (bytes[at] !== EQUALS || at >= argsEnd) continue;
        arg = layout[nth] = this.#layout(bytes, from, at + 1);
      }
      nth++;
      at = from + arg.key.length;
      if (at > argsEnd) return;
      const end = skip(bytes, at, argsEnd);
      if (arg.place >= 0) this.#value(bytes, at, end, arg);
      at = end;
    }
  }

  #layout(bytes: Uint8Array, from: number, to: number): ArgLayout {
    const place = this.#places[this.#names.at(bytes, from, to - 1)] ?? 0;
    return {
      key: bytes.slice(from, to),
      place: place - 1,
      symbol: NO_BYTES,
      name: 0,
    };
  }

  /** Reads a value. */
  #value(
    bytes: Uint8Array,
    from: number,
    end: number,
    arg: ArgLayout,
  ): void {
    const { place } = arg;
    const first = bytes[from] as number;
    this.#lines[place] = this.#line;
    if (first === ZERO && bytes[from + 1] === LOWER_X) {
      this.#values[place] = hex(bytes, from + 2, end);
    } else if (place === KEY.struct) {
      this.#values[place] = hex(bytes, from, end);
    } else if (first === DASH || first >= ZERO && first <= NINE) {
      this.#values[place] = decimal(bytes, from, end);
    } else {
      if (!isSymbol(arg.symbol, bytes, from, end)) {
        this.#symbol(arg, bytes, from, end);
      }
      this.#values[place] = arg.name;
    }
  }

  /** The name in `name`, `"name"` or `name+0x0/0x1f0`. */
  #symbol(arg: ArgLayout, bytes: Uint8Array, from: number, to: number): void {
    if (bytes[from] === QUOTE) {
      const isClosed = bytes[to - 1] === QUOTE && to - 1 > from;
      const end = isClosed ? to - 1 : to;
      arg.symbol = bytes.slice(from, end);
      arg.name = this.#names.at(bytes, from + 1, end);
      return;
    }
    let end = from;
    while (end < to && ENDS[bytes[end] as number] === 0) end++;
    arg.symbol = bytes.slice(from, end);
    const made = decoder.decode(arg.symbol).search(MADE_BY_COMPILER);
    arg.name = this.#names.at(bytes, from, made < 0 ? end : from + made);
  }
}

/** An argument of a probe, as it was in the newest line. */
export interface ArgLayout {
  /** Its name, with the equals sign. */
  readonly key: Uint8Array;
  /** Its place among the values; -1 when nobody reads it. */
  readonly place: number;
  /** The symbol that it was, and the number of its name. */
  symbol: Uint8Array;
  name: number;
}

const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder();
/** What a compiler adds to the name of a function that it has split. */
const MADE_BY_COMPILER = /\.(?:isra|constprop|part|cold|llvm)\b/;

/** What ends the name in a symbol. */
const ENDS: Uint8Array = new Uint8Array(256);
for (const end of "+,:") ENDS[end.charCodeAt(0)] = 1;

function skip(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE) at++;
  return at;
}

function isAt(text: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[from + i] !== text[i]) return false;
  }
  return true;
}

function isSymbol(
  text: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const end = from + text.length;
  return text.length > 0 && end <= to && isAt(text, bytes, from) &&
    (end === to || ENDS[bytes[end] as number] === 1 || bytes[end] === QUOTE);
}

/**
 * Reads a hexadecimal number; of a long one its last 52 bits.
 *
 * @param bytes Where it lies.
 * @param from Where it begins.
 * @param to Where it may end.
 * @returns The number.
 */
export function hex(bytes: Uint8Array, from: number, to: number): number {
  const middle = Math.max(from, to - LOW_DIGITS);
  let high = 0;
  for (let at = Math.max(from, to - ADDRESS_DIGITS); at < middle; at++) {
    const digit = DIGITS[bytes[at] as number] as number;
    if (digit > 15) return hex(bytes, from, at);
    high = high << 4 | digit;
  }
  let low = 0;
  for (let at = middle; at < to; at++) {
    const digit = DIGITS[bytes[at] as number] as number;
    if (digit > 15) return hex(bytes, from, at);
    low = low << 4 | digit;
  }
  return high * 2 ** 32 + (low >>> 0);
}

/** The digit that a byte is, 255 for one that is none. */
const DIGITS: Uint8Array = new Uint8Array(256).fill(255);
[..."0123456789abcdef"].forEach((digit, value) => {
  DIGITS[digit.charCodeAt(0)] = value;
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
});

function decimal(bytes: Uint8Array, from: number, to: number): number {
  const isNegative = bytes[from] === DASH;
  let value = 0;
  for (let at = isNegative ? from + 1 : from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
