/**
 * Source text with everything blanked that is not code, so that a search finds
 * no words in comments and no brackets in strings.
 *
 * @module
 */

/** Comments, strings, templates and patterns, in the order they are tried. */
const TOKEN = new RegExp(
  [
    /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)/,
    /(?<string>"(?:\\.|[^"\\\n])*")/,
    /(?<quoting>'(?:\\.|[^'\\\n])*')/,
    /(?<template>`)/,
    /(?<brace>[{}])/,
    // A slash opens a pattern only where a value may begin.
    /(?<pattern>(?<=(?:^|[(,=:[!&|?{};+\-*%<>~]|\b(?:return|typeof|case))\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)/,
  ].map((part) => part.source).join("|"),
  "g",
);

/** Up to the end of a template, or to the code inside it. */
const TEMPLATE_PART = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?<end>`|\$\{)/y;

/**
 * Blanks all that is not code; lines and columns stay where they are. Strings
 * can be kept, for the sake of imports: those in double quotes, since
 * `deno fmt` leaves others only where they quote something.
 */
export function blank(
  text: string,
  { keepStrings }: { readonly keepStrings: boolean },
): string {
  let result = "";
  let from = 0;
  /** For each template we are inside of, the depth of its code. */
  const depths: number[] = [];
  const erase = (until: number): void => {
    result += text.slice(from, until).replaceAll(/[^\n]/g, " ");
    from = until;
  };
  const keep = (until: number): void => {
    result += text.slice(from, until);
    from = until;
  };
  const eraseTemplate = (): void => {
    TEMPLATE_PART.lastIndex = from;
    const part = TEMPLATE_PART.exec(text);
    if (part?.groups?.end === "${") depths.push(0);
    erase(part ? TEMPLATE_PART.lastIndex : text.length);
  };
  const brace = (isOpen: boolean, end: number): void => {
    const depth = depths.pop();
    if (depth === 0 && !isOpen) {
      eraseTemplate();
      return;
    }
    if (depth !== undefined) depths.push(depth + (isOpen ? 1 : -1));
    keep(end);
  };
  for (;;) {
    TOKEN.lastIndex = from;
    const token = TOKEN.exec(text);
    if (!token) break;
    const end = TOKEN.lastIndex;
    const { string, template, brace: bracket } = token.groups!;
    keep(token.index);
    if (bracket) brace(bracket === "{", end);
    else if (template) {
      erase(end);
      eraseTemplate();
    } else if (string && keepStrings) keep(end);
    else erase(end);
  }
  keep(text.length);
  return result;
}
