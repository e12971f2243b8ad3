/// <reference lib="dom" />
/**
 * The page of a trace: puts its parts together, and listens to the keyboard.
 *
 * @module
 */

import { readPageData } from "./page_data.ts";
import { TraceMap } from "./trace_map.ts";
import { TracePanel } from "./trace_panel.ts";
import { TraceRows } from "./trace_rows.ts";
import { TraceView } from "./trace_view.ts";

/** The page. */
export class TracePage {
  readonly #rows: TraceRows;
  readonly #view: TraceView;
  readonly #panel: TracePanel;
  readonly #map: TraceMap;
  readonly #search: HTMLInputElement;
  readonly #keys: HTMLInputElement;
  readonly #status: HTMLElement;
  readonly #help: HTMLDialogElement;

  /** Begins with the data in the page. */
  constructor() {
    const find = (id: string) => document.getElementById(id) as HTMLElement;
    const scroller = find("trace-view");
    this.#rows = new TraceRows(readPageData());
    this.#view = new TraceView(this.#rows, scroller);
    this.#panel = new TracePanel(this.#rows, find("panel"));
    this.#map = new TraceMap(this.#rows, this.#view, find("map"));
    this.#search = find("search") as HTMLInputElement;
    this.#keys = find("keys-only") as HTMLInputElement;
    this.#status = find("status");
    this.#help = find("help") as HTMLDialogElement;
    this.#view.onSelect = this.#panel.onSelect = (at) => this.select(at);
    this.#panel.onFilter = (request) => this.filter(request);
    this.#search.addEventListener("input", () => this.#apply());
    this.#keys.addEventListener("change", () => this.#apply());
    find("theme").addEventListener("click", () => this.#turnTheme());
    find("show-help").addEventListener("click", () => this.#help.showModal());
    scroller.addEventListener("scroll", () => this.#map.move());
    document.addEventListener("keydown", (event) => this.#onKey(event));
    addEventListener("hashchange", () => this.#readHash());
    matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => this.#map.draw());
    this.#view.layOut();
    this.#readHash();
  }

  /** Chooses an event. */
  select(at: number): void {
    if (at < 0) return;
    if ((this.#rows.rowOf[at] as number) < 0) this.filter(-1, true);
    this.#view.selected = at;
    this.#view.reveal(at);
    this.#panel.show(at);
    history.replaceState(null, "", `#${at}`);
  }

  /** Shows one request alone, or all. */
  filter(request: number, all: boolean = false): void {
    this.#rows.filter.request = request;
    if (all) {
      this.#search.value = "";
      this.#keys.checked = false;
    }
    this.#apply();
  }

  #apply(): void {
    const { filter, data } = this.#rows;
    filter.text = this.#search.value;
    filter.keysOnly = this.#keys.checked;
    this.#rows.apply();
    this.#view.layOut();
    const row = this.#rows.nearestRow(this.#view.selected);
    const at = this.#rows.rows[row];
    if (at !== undefined) this.select(at);
    this.#map.draw();
    const shown = this.#rows.rows.length;
    const of = data.requests[filter.request];
    this.#status.textContent = [
      shown === data.events.length
        ? `${shown} events`
        : `${shown} of ${data.events.length} events`,
      ...of === undefined ? [] : [`of ${of[0]}`],
    ].join(" ");
  }

  #readHash(): void {
    const at = Number(location.hash.slice(1) || "0");
    this.#apply();
    this.select(Math.min(at, this.#rows.data.events.length - 1) || 0);
  }

  #turnTheme(): void {
    const root = document.documentElement;
    const isDark = (root.dataset["theme"] ?? "") === ""
      ? matchMedia("(prefers-color-scheme: dark)").matches
      : root.dataset["theme"] === "dark";
    root.dataset["theme"] = isDark ? "light" : "dark";
    this.#map.draw();
  }

  #onKey(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || this.#help.open) return;
    if (key === "Escape") {
      this.filter(-1, true);
      this.#search.blur();
    } else if (document.activeElement === this.#search) {
      if (key === "Enter") this.#search.blur();
      return;
    } else if (!this.#step(key) && !this.#command(key)) return;
    event.preventDefault();
  }

  /** Goes to another event. */
  #step(key: string): boolean {
    const { rows, data, causeOf, effectOf } = this.#rows;
    const at = this.#view.selected;
    const row = this.#rows.nearestRow(at);
    const [first, last] = this.#view.inSight();
    const page = Math.max(1, last - first - 4);
    const arrow = (i: number | undefined, end: 0 | 1) =>
      data.arrows[i ?? -1]?.[end] ?? -1;
    const to = (row: number) =>
      rows[Math.max(0, Math.min(rows.length - 1, row))] ?? -1;
    const moves: Readonly<Record<string, () => number>> = {
      ArrowDown: () => to(row + 1),
      j: () => to(row + 1),
      ArrowUp: () => to(row - 1),
      k: () => to(row - 1),
      PageDown: () => to(row + page),
      PageUp: () => to(row - page),
      Home: () => to(0),
      g: () => to(0),
      End: () => to(rows.length - 1),
      G: () => to(rows.length - 1),
      ArrowRight: () => arrow(effectOf[at], 1),
      l: () => arrow(effectOf[at], 1),
      ArrowLeft: () => arrow(causeOf[at], 0),
      h: () => arrow(causeOf[at], 0),
      "]": () => this.#rows.nextOfRequest(at, 1),
      "[": () => this.#rows.nextOfRequest(at, -1),
      n: () => this.#rows.nextBroken(at, 1),
      p: () => this.#rows.nextBroken(at, -1),
    };
    const move = Object.hasOwn(moves, key) ? moves[key] : undefined;
    if (move === undefined) return false;
    this.select(move());
    return true;
  }

  #command(key: string): boolean {
    const { filter, data } = this.#rows;
    if (key === "/") this.#search.focus();
    else if (key === "f") {
      const request = data.events[this.#view.selected]?.[3] ?? -1;
      this.filter(filter.request === request ? -1 : request);
    } else if (key === "e") {
      this.#keys.checked = !this.#keys.checked;
      this.#apply();
    } else if (key === "t") this.#turnTheme();
    else if (key === "?") this.#help.showModal();
    else return false;
    return true;
  }
}
