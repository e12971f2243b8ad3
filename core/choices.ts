/**
 * The choices of a run, and their short printable form.
 *
 * A run is a list of choice points, each with two options or more, of which
 * 0 is the default. Only the points where another one was taken are kept.
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
