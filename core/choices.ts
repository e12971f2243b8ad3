/**
 * The choices of a run, and their short printable form.
 *
 * A run is a list of choice points, each with two options or more, of which
 * 0 is the default. Only the points where another one was taken are kept,
 * and a few bits of what the run was like, by which a program that is not the
 * recorded one gives itself away.
 *
 * @module
 */

/** A choice that was not the default one. */
export interface Deviation {
  /** Which choice point of the run, counted from 0. */
  readonly point: number;
  /** Which option was taken, 1 or more. */
  readonly option: number;
}

/** The choices of a run: its deviations, in order. */
export type Choices = readonly Deviation[];

/** What a recorded run was like. */
export interface RunPrint {
  /** How many times a context was resumed. */
  readonly steps: number;
  /** Six bits of all that came before each deviation and of itself. */
  readonly deviations: readonly number[];
  /** Eighteen bits of the whole run. */
  readonly whole: number;
}

const PRINT_BITS = 18;
/** Digits of {@linkcode RunPrint.whole}. */
const WHOLE_DIGITS = PRINT_BITS / 6;

const DIGITS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~";
/** A gap or an option of this size needs more than one digit. */
const LIMIT = 7;

/**
 * The printable form of choices. A digit of six bits holds how many points
 * pass by default (0 to 6) and which option follows (1 to 7); 7 in the upper
 * half skips 7·8^n points, 7 in the lower half adds the next digit to the
 * option.
 *
 * @param choices The choices.
 * @returns A string of letters, digits, `_` and `~`; empty for the default
 * run.
 *
 * @example
 * ```ts
 * import { decodeChoices, encodeChoices } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const choices = [{ point: 3, option: 1 }, { point: 200, option: 2 }];
 * assertEquals(decodeChoices(encodeChoices(choices)), choices);
 * ```
 */
export function encodeChoices(choices: Choices): string {
  let text = "";
  let point = 0;
  for (const deviation of choices) {
    let gap = deviation.point - point;
    for (let e = 7; e >= 0; e--) {
      const skip = LIMIT * 8 ** e;
      for (; gap >= skip; gap -= skip) text += digit(LIMIT, e);
    }
    const extra = deviation.option - 1 - LIMIT;
    text += digit(gap, Math.min(deviation.option - 1, LIMIT));
    for (let rest = extra; rest >= 0; rest -= 63) {
      text += DIGITS[Math.min(rest, 63)];
    }
    point = deviation.point + 1;
  }
  return text;
}

/**
 * Reads what {@linkcode encodeChoices} wrote.
 *
 * @param text The printable form.
 * @returns The choices.
 * @throws {SyntaxError} If a character does not belong there, or the text is
 * cut short.
 *
 * @example
 * ```ts
 * import { decodeChoices } from "@endio/dio/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(decodeChoices(""), []);
 * assertThrows(() => decodeChoices("!"), SyntaxError);
 * ```
 */
export function decodeChoices(text: string): Choices {
  const choices: Deviation[] = [];
  let point = 0;
  let at = 0;
  const next = (): number => {
    const char = text[at++];
    const value = char === undefined ? -1 : DIGITS.indexOf(char);
    if (value < 0) {
      throw new SyntaxError(
        char === undefined
          ? "Cannot read schedule: it is cut short"
          : `Cannot read schedule: '${char}' at position ${at - 1} is no digit`,
      );
    }
    return value;
  };
  while (at < text.length) {
    const value = next();
    const gap = value >> 3;
    const low = value & 7;
    if (gap === LIMIT) {
      point += LIMIT * 8 ** low;
      continue;
    }
    point += gap;
    let option = low + 1;
    if (low === LIMIT) {
      let more = next();
      option += more;
      while (more === 63) {
        more = next();
        option += more;
      }
    }
    choices.push({ point, option });
    point++;
  }
  if (text !== "" && encodeChoices(choices) !== text) {
    throw new SyntaxError(
      "Cannot read schedule: it is cut short or was changed",
    );
  }
  return choices;
}

function digit(high: number, low: number): string {
  return DIGITS[high * 8 + low] as string;
}

/**
 * Mixes one more step or decision into the print of a run.
 *
 * @param print The print so far; 0 at the start.
 * @param options How many options there were.
 * @param ctx Identity of the context that goes on; 0 for a decision that is
 * not about contexts.
 * @param what How it goes on, or what was decided; 0 to 3.
 * @returns The new print, 32 bits.
 *
 * @example
 * ```ts
 * import { mixPrint } from "@endio/dio/core";
 * import { assertNotEquals } from "@std/assert";
 *
 * assertNotEquals(mixPrint(0, 2, 1, 0), mixPrint(0, 3, 1, 0));
 * ```
 */
export function mixPrint(
  print: number,
  options: number,
  ctx: number,
  what: number,
): number {
  const mixed = print ^ Math.imul((ctx * 64 + options) * 4 + what, 0x9e3779b1);
  return Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
}

/**
 * The six bits that are kept of a print at a deviation.
 *
 * @param print The print.
 * @returns 0 to 63.
 *
 * @example
 * ```ts
 * import { printDigit } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printDigit(-1), 63);
 * ```
 */
export function printDigit(print: number): number {
  return print >>> 26;
}

/**
 * The bits that are kept of the print of a whole run.
 *
 * @param print The print at its end.
 * @returns 0 to 2^18 - 1.
 *
 * @example
 * ```ts
 * import { printWhole } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printWhole(-1), 2 ** 18 - 1);
 * ```
 */
export function printWhole(print: number): number {
  return print >>> (32 - PRINT_BITS);
}

/**
 * The printable form of a run's print, in the digits of
 * {@linkcode encodeChoices}: one for each deviation, three for the whole run,
 * the rest for the number of its steps.
 *
 * @param print The print.
 * @returns The printable form.
 *
 * @example
 * ```ts
 * import { decodePrint, encodePrint } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const print = { steps: 200, deviations: [7, 63], whole: 12345 };
 * assertEquals(decodePrint(encodePrint(print), 2), print);
 * ```
 */
export function encodePrint(print: RunPrint): string {
  return [
    ...print.deviations.map((bits) => DIGITS[bits]),
    toDigits(print.whole).padStart(WHOLE_DIGITS, DIGITS[0]),
    toDigits(print.steps),
  ].join("");
}

/**
 * Reads what {@linkcode encodePrint} wrote.
 *
 * @param text The printable form.
 * @param deviations How many deviations the run has.
 * @returns The print.
 * @throws {SyntaxError} If a character does not belong there, or the text is
 * cut short.
 *
 * @example
 * ```ts
 * import { decodePrint } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodePrint("AAAB", 0), { steps: 1, deviations: [], whole: 0 });
 * ```
 */
export function decodePrint(text: string, deviations: number): RunPrint {
  const values = [...text].map((char, at) => {
    const value = DIGITS.indexOf(char);
    if (value < 0) {
      throw new SyntaxError(
        `Cannot read schedule: '${char}' at position ${at} of its print is no digit`,
      );
    }
    return value;
  });
  const end = deviations + WHOLE_DIGITS;
  if (values.length <= end) {
    throw new SyntaxError("Cannot read schedule: its print is cut short");
  }
  return {
    steps: ofDigits(values.slice(end)),
    deviations: values.slice(0, deviations),
    whole: ofDigits(values.slice(deviations, end)),
  };
}

function toDigits(value: number): string {
  return (value >= 64 ? toDigits(Math.floor(value / 64)) : "") +
    DIGITS[value % 64];
}

function ofDigits(values: readonly number[]): number {
  return values.reduce((sum, value) => sum * 64 + value, 0);
}
