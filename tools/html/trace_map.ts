/// <reference lib="dom" />
/**
 * The whole trace at a glance: a narrow strip, a line a row, in the colours of
 * the requests, with what is broken in red and what is in sight in a frame.
 *
 * @module
 */

import type { TraceRows } from "./trace_rows.ts";
import { hueOf, type TraceView } from "./trace_view.ts";

/** The strip. */
export class TraceMap {
  readonly #rows: TraceRows;
  readonly #view: TraceView;
  readonly #canvas: HTMLCanvasElement;
  readonly #frame: HTMLElement;

  /**
   * Draws the strip.
   *
   * @param rows The trace.
   * @param view The picture that it belongs to.
   * @param root Where to draw.
   */
  constructor(rows: TraceRows, view: TraceView, root: HTMLElement) {
    this.#rows = rows;
    this.#view = view;
    this.#canvas = document.createElement("canvas");
    this.#frame = document.createElement("div");
    this.#frame.className = "frame";
    root.append(this.#canvas, this.#frame);
    const go = (event: PointerEvent) => {
      if (event.buttons === 0) return;
      const { top, height } = root.getBoundingClientRect();
      view.scrollTo((event.clientY - top) / height * rows.rows.length);
    };
    root.addEventListener("pointerdown", go);
    root.addEventListener("pointermove", go);
    new ResizeObserver(() => this.draw()).observe(root);
  }

  /** Draws all of it. */
  draw(): void {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const paint = canvas.getContext("2d");
    if (paint === null || height === 0) return;
    paint.scale(ratio, ratio);
    const { data, rows, brokenAt } = this.#rows;
    const style = getComputedStyle(canvas);
    const light = style.getPropertyValue("--request-light");
    const lane = width / Math.max(1, data.lanes.length);
    const size = Math.max(1, height / rows.length);
    rows.forEach((at, row) => {
      const [, of, , request] = data.events[at] ?? [0, 0, 0, -1];
      paint.fillStyle = request < 0
        ? style.getPropertyValue("--faint")
        : `hsl(${hueOf(request)} 60% ${light})`;
      paint.fillRect(of * lane, row / rows.length * height, lane, size);
    });
    paint.fillStyle = style.getPropertyValue("--red");
    rows.forEach((at, row) => {
      if (!brokenAt.has(at)) return;
      paint.fillRect(0, row / rows.length * height - 1, width, 3);
    });
    this.move();
  }

  /** Puts the frame where the picture is. */
  move(): void {
    const [first, last] = this.#view.inSight();
    const count = Math.max(1, this.#rows.rows.length);
    this.#frame.style.top = `${first / count * 100}%`;
    this.#frame.style.height = `${(last - first + 1) / count * 100}%`;
  }
}
