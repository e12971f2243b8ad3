/// <reference lib="dom" />
/**
 * The picture of a trace: a row an event, a column a lane; only the rows that
 * are in sight are there.
 *
 * @module
 */

import type { PageData } from "./page_data.ts";
import type { TraceRows } from "./trace_rows.ts";

/** The height of a row, in pixels. */
export const ROW = 22;
/** The width of the columns of numbers and times. */
export const GUTTER = 148;
/** The least width of a lane. */
export const MIN_LANE = 132;
/** The width of the last lane, which has nothing to its right. */
export const LAST_LANE = 330;
/** The namespace of what is drawn. */
export const SVG = "http://www.w3.org/2000/svg";

/**
 * A time from the beginning of the trace.
 *
 * @param ns Nanoseconds.
 * @param span Nanoseconds of the whole trace, which choose the unit.
 * @returns Its text.
 */
export function timeText(ns: number, span: number): string {
  if (span < 1e5) return `${ns} ns`;
  if (span < 1e7) return `${(ns / 1e3).toFixed(3)} µs`;
  return `${(ns / 1e6).toFixed(3)} ms`;
}

/** The colour of a request, as an angle; neighbours are far apart, none red. */
export function hueOf(request: number): number {
  return 30 + Math.round(request * 185.4 + 180) % 300;
}

/** An element with a class and a text. */
export function element(
  tag: string,
  name: string,
  text: string = "",
): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

/** The picture. */
export class TraceView {
  /** Told of the event that was chosen. */
  onSelect: (at: number) => void = () => {};
  /** The event that is chosen. */
  selected = 0;
  #hovered = -1;
  readonly #rows: TraceRows;
  readonly #scroller: HTMLElement;
  readonly #head: HTMLElement;
  readonly #body: HTMLElement;
  readonly #svg: SVGSVGElement;
  readonly #tip: HTMLElement;
  #laneWidth = MIN_LANE;
  #width = 0;
  #pending = false;

  /**
   * Draws into a scrolling element.
   *
   * @param rows What to draw.
   * @param scroller Where.
   */
  constructor(rows: TraceRows, scroller: HTMLElement) {
    this.#rows = rows;
    this.#scroller = scroller;
    this.#head = element("div", "lanes");
    this.#body = element("div", "rows");
    this.#svg = document.createElementNS(SVG, "svg");
    this.#svg.setAttribute("class", "arrows");
    this.#svg.setAttribute("aria-hidden", "true");
    this.#tip = element("div", "tip");
    this.#tip.hidden = true;
    scroller.append(this.#head, this.#body);
    document.body.append(this.#tip);
    scroller.addEventListener("scroll", () => this.draw());
    this.#body.addEventListener("mousemove", (event) => this.#hover(event));
    this.#body.addEventListener("mouseleave", () => this.#leave());
    this.#body.addEventListener("click", (event) => {
      const at = this.#eventAt(event.clientY);
      if (at >= 0) this.onSelect(at);
    });
    new ResizeObserver(() => this.layOut()).observe(scroller);
  }

  /** Finds the places of everything again. */
  layOut(): void {
    const { lanes } = this.#rows.data;
    const { clientWidth } = this.#scroller;
    const room = clientWidth - GUTTER - 10 - LAST_LANE;
    this.#laneWidth = Math.max(
      MIN_LANE,
      Math.min(280, room / Math.max(1, lanes.length - 1)),
    );
    this.#width = Math.max(clientWidth, this.#x(lanes.length - 1) + LAST_LANE);
    this.#head.replaceChildren(...lanes.map(([kind, label], at) => {
      const name = element("span", `lane ${kind}`, label);
      name.style.left = `${this.#x(at)}px`;
      name.style.maxWidth = `${
        at === lanes.length - 1 ? LAST_LANE : this.#laneWidth - 8
      }px`;
      name.title = `${kind}: ${label}`;
      return name;
    }));
    this.#head.style.width = this.#body.style.width = `${this.#width}px`;
    this.#body.style.height = `${this.#rows.rows.length * ROW}px`;
    this.draw();
  }

  /** Draws what is in sight, before the next frame. */
  draw(): void {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.#drawNow();
    });
  }

  /** Brings an event into sight. */
  reveal(at: number): void {
    const row = this.#rows.nearestRow(at);
    const { scrollTop, clientHeight } = this.#scroller;
    const head = this.#head.offsetHeight;
    const y = row * ROW;
    const margin = Math.min(4 * ROW, clientHeight / 4);
    if (y < scrollTop + margin) this.#scroller.scrollTop = y - margin;
    else if (y + ROW > scrollTop + clientHeight - head - margin) {
      this.#scroller.scrollTop = y + ROW + head + margin - clientHeight;
    }
    const x = this.#x(this.#rows.data.events[at]?.[1] ?? 0);
    const { scrollLeft, clientWidth } = this.#scroller;
    if (x < scrollLeft + GUTTER) this.#scroller.scrollLeft = x - GUTTER - 10;
    else if (x + MIN_LANE > scrollLeft + clientWidth) {
      this.#scroller.scrollLeft = x - GUTTER - MIN_LANE;
    }
    this.draw();
  }

  /** First and last row in sight. */
  inSight(): readonly [first: number, last: number] {
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / ROW));
    const last = Math.ceil((scrollTop + clientHeight) / ROW);
    return [first, Math.min(this.#rows.rows.length - 1, last)];
  }

  /** Scrolls to a row. */
  scrollTo(row: number): void {
    this.#scroller.scrollTop = row * ROW - this.#scroller.clientHeight / 2;
  }

  #x(lane: number): number {
    return GUTTER + 10 + lane * this.#laneWidth;
  }

  #y(row: number): number {
    return row * ROW + ROW / 2;
  }

  #drawNow(): void {
    const [first, last] = this.inSight();
    const shift = `${this.#scroller.scrollLeft}px`;
    this.#body.style.setProperty("--shift", shift);
    const shown: HTMLElement[] = [];
    for (let row = Math.max(0, first - 4); row <= last; row++) {
      shown.push(this.#row(row));
    }
    this.#drawArrows(first, last);
    this.#body.replaceChildren(this.#svg, ...shown);
  }

  #row(row: number): HTMLElement {
    const { data, rows, brokenAt, filter } = this.#rows;
    const at = rows[row] as number;
    const [ts, lane, name, request, text] = data
      .events[at] as PageData["events"][0];
    const line = element("div", "row");
    line.id = `row-${at}`;
    line.style.top = `${row * ROW}px`;
    if (request >= 0) line.style.setProperty("--hue", String(hueOf(request)));
    const chosen = data.events[this.selected]?.[3] ?? -1;
    line.classList.toggle("nobody", request < 0);
    line.classList.toggle("key", data.keys.includes(name));
    line.classList.toggle("selected", at === this.selected);
    const isRelated = filter.request < 0 && chosen >= 0 &&
      request === chosen && data.requests.length > 1;
    line.classList.toggle("related", isRelated);
    const start = data.events[0]?.[0] ?? 0;
    const end = data.events.at(-1)?.[0] ?? 0;
    const seq = data.events[at]?.[5]["seq"] ?? at;
    const dot = element("span", "dot");
    dot.style.left = `${this.#x(lane)}px`;
    const label = element("span", "label");
    label.style.left = `${this.#x(lane) + 12}px`;
    label.style.maxWidth = `${this.#width - this.#x(lane) - 16}px`;
    label.append(element("b", "", data.names[name]));
    if (text !== "") label.append(` ${text}`);
    line.append(
      element("span", "seq", String(seq)),
      element("span", "time", timeText(ts - start, end - start)),
      dot,
      label,
    );
    const broken = brokenAt.get(at);
    if (broken !== undefined) {
      line.classList.add("broken");
      const rule = data.broken[broken[0] as number]?.rule ?? "";
      label.append(element("span", "flag", rule.replace(/^.*\//, "")));
    }
    return line;
  }

  /** Lanes, what takes time in them, and what sets off what. */
  #drawArrows(first: number, last: number): void {
    const { data, rowOf } = this.#rows;
    const top = Math.max(0, first - 4) * ROW;
    const height = (last + 1) * ROW - top;
    const width = this.#width;
    const parts: string[] = data.lanes.map(([kind], lane) =>
      `<line class="${kind}" x1="${this.#x(lane)}" x2="${
        this.#x(lane)
      }" y1="${top}" y2="${top + height}"/>`
    );
    for (const [from, to, depth] of data.spans) {
      const begin = rowOf[from] as number;
      const end = rowOf[to] as number;
      if (begin < 0 || end < 0 || end < first - 4 || begin > last) continue;
      const [, lane, , request] = data.events[from] as PageData["events"][0];
      parts.push(
        `<rect class="span${request < 0 ? " nobody" : ""}" style="--hue:${
          hueOf(request)
        }" x="${this.#x(lane) - 6 + depth * 2}" width="${
          Math.max(2, 12 - depth * 4)
        }" y="${this.#y(begin) - 7}" height="${
          this.#y(end) - this.#y(begin) + 14
        }" rx="3"/>`,
      );
    }
    data.arrows.forEach(([from, to], i) => {
      const begin = rowOf[from] as number;
      const end = rowOf[to] as number;
      if (begin < 0 || end < 0 || end < first - 4 || begin > last) return;
      parts.push(this.#arrow(i, begin, end));
    });
    this.#svg.setAttribute("viewBox", `0 ${top} ${width} ${height}`);
    this.#svg.setAttribute("width", String(width));
    this.#svg.setAttribute("height", String(height));
    this.#svg.style.top = `${top}px`;
    this.#svg.innerHTML = parts.join("");
  }

  #arrow(i: number, begin: number, end: number): string {
    const { data } = this.#rows;
    const [from, to, kind] = data.arrows[i] as PageData["arrows"][0];
    const [, fromLane, , ofFrom] = data.events[from] as PageData["events"][0];
    const [, toLane, , ofTo] = data.events[to] as PageData["events"][0];
    const request = ofTo >= 0 ? ofTo : ofFrom;
    const focus = [this.selected, this.#hovered].some((at) =>
      at >= 0 && (at === from || at === to ||
        request >= 0 && data.events[at]?.[3] === request)
    );
    const x1 = this.#x(fromLane);
    const x2 = this.#x(toLane);
    const y1 = this.#y(begin);
    const y2 = this.#y(end);
    // Between the rows to the left of the lane it leads to, and down there.
    const channel = x2 - 11 - i % 3 * 3;
    const border = y1 + ROW / 2;
    const turn = Math.min(6, Math.abs(channel - x1) / 2);
    const way = channel > x1 ? turn : -turn;
    const line = `M${x1} ${y1}V${border - turn}q0 ${turn} ${way} ${turn}H${
      channel - way
    }q${way} 0 ${way} ${turn}V${y2 - 5}q0 5 5 5H${x2 - 5}m-5 -4l5 4l-5 4`;
    return `<path class="arrow ${kind}${focus ? " focus" : ""}${
      request < 0 ? " nobody" : ""
    }" style="--hue:${hueOf(request)}" d="${line}"/>`;
  }

  #eventAt(clientY: number): number {
    const y = clientY - this.#body.getBoundingClientRect().top;
    return this.#rows.rows[Math.floor(y / ROW)] ?? -1;
  }

  #hover(event: MouseEvent): void {
    const at = this.#eventAt(event.clientY);
    if (at !== this.#hovered) {
      this.#hovered = at;
      this.#fillTip(at);
      this.draw();
    }
    this.#tip.hidden = at < 0;
    const { offsetWidth, offsetHeight } = this.#tip;
    const x = Math.min(event.clientX + 16, innerWidth - offsetWidth - 8);
    const below = event.clientY + 18;
    const y = below + offsetHeight > innerHeight
      ? event.clientY - offsetHeight - 12
      : below;
    this.#tip.style.translate = `${x}px ${y}px`;
  }

  #leave(): void {
    this.#hovered = -1;
    this.#tip.hidden = true;
    this.draw();
  }

  #fillTip(at: number): void {
    const { data } = this.#rows;
    const event = data.events[at];
    if (event === undefined) return;
    const [, lane, name, request, , args] = event;
    const title = element("strong", "", data.names[name]);
    const where = element("em", "", data.lanes[lane]?.[1]);
    const rows = Object.entries(args)
      .filter(([key]) => key !== "seq")
      .map(([key, value]) => {
        const row = element("div", "arg");
        row.append(element("span", "", key), element("code", "", `${value}`));
        return row;
      });
    this.#tip.replaceChildren(title, where, ...rows);
    if (request >= 0) {
      this.#tip.style.setProperty("--hue", String(hueOf(request)));
      this.#tip.append(
        element("div", "of", data.requests[request]?.[0] ?? ""),
      );
    }
    this.#tip.classList.toggle("nobody", request < 0);
  }
}
