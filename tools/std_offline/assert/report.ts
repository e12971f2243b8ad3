/**
 * What a failed comparison prints: both values, and where they differ.
 *
 * @module
 */

import { diff, styleText } from "node:util";

/** A value as text, with every level, key and element shown. */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    depth: Infinity,
    sorted: true,
    trailingComma: true,
    compact: false,
    iterableLimit: Infinity,
    strAbbreviateSize: Infinity,
    getters: true,
  });
}

type Style = Parameters<typeof styleText>[0];

/** Colours text where colour is wanted. */
export function paint(style: Style, text: string): string {
  return Deno.noColor
    ? text
    : styleText(style, text, { validateStream: false });
}

/** The lines of two texts side by side: `-` is only actual, `+` expected. */
export function showDiff(actual: string, expected: string): string {
  const lines = diff(actual.split("\n"), expected.split("\n"))
    .map(([side, line]) => {
      if (side > 0) return paint(["bold", "red"], `-   ${line}`);
      if (side < 0) return paint(["bold", "green"], `+   ${line}`);
      return paint("white", `    ${line}`);
    });
  const legend = `    ${paint(["bold", "gray"], "[Diff]")} ${
    paint(["bold", "red"], "Actual")
  } / ${paint(["bold", "green"], "Expected")}`;
  return ["", "", legend, "", "", ...lines, ""].join("\n");
}
