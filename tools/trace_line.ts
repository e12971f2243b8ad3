/**
 * A line of text that is put together from coloured pieces.
 *
 * @module
 */

/** A style: what it makes of text. */
export type Paint = (text: string) => string;

/** No style. */
export const BLANK: Paint = (text) => text;

/** One line being written, a character and its style a cell. */
export class Line {
  readonly #cells: [char: string, paint: Paint][] = [];
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
  }

  /** Puts text at a place; what was there is covered. */
  put(at: number, text: string, paint: Paint = BLANK): number {
    let x = at;
    for (const char of text) {
      while (this.#cells.length < x) this.#cells.push([" ", BLANK]);
      this.#cells[x++] = [char, paint];
    }
    return x;
  }

  /** The line, trailing blanks left off. */
  toString(): string {
    const cells = this.#cells;
    const last = cells.findLastIndex(([char]) => char !== " ");
    if (last >= this.#width) cells[this.#width - 1] = ["…", BLANK];
    let text = "";
    let run = "";
    let paint = BLANK;
    for (
      const [char, style] of cells.slice(0, Math.min(last + 1, this.#width))
    ) {
      if (style !== paint) {
        text += paint(run);
        run = "";
        paint = style;
      }
      run += char;
    }
    return `${text}${paint(run)}\n`;
  }
}
