/// <reference lib="dom" />
/**
 * What stands beside the picture of a trace: the event that is chosen, what
 * is broken, and all requests.
 *
 * @module
 */

import type { PageData } from "./page_data.ts";
import type { TraceRows } from "./trace_rows.ts";
import { element, hueOf, timeText } from "./trace_view.ts";

/** Requests that are listed; a search finds the others. */
export const MAX_LISTED = 400;

/** The panel. */
export class TracePanel {
  /** Told of an event that was chosen here. */
  onSelect: (at: number) => void = () => {};
  /** Told of a request that alone is to be shown; -1 for all. */
  onFilter: (request: number) => void = () => {};
  readonly #rows: TraceRows;
  readonly #event: HTMLElement;
  readonly #broken: HTMLElement;
  readonly #requests: HTMLElement;

  /**
   * Fills the panel.
   *
   * @param rows The trace.
   * @param root Where.
   */
  constructor(rows: TraceRows, root: HTMLElement) {
    this.#rows = rows;
    this.#event = element("section", "event");
    this.#event.setAttribute("aria-live", "polite");
    this.#broken = element("section", "violations");
    this.#requests = element("section", "requests");
    root.append(this.#event, this.#broken, this.#requests);
    this.#listBroken();
    this.#listRequests();
  }

  /** Shows an event. */
  show(at: number): void {
    const { data, causeOf, effectOf, brokenAt } = this.#rows;
    const event = data.events[at];
    if (event === undefined) return;
    const [ts, lane, name, request, , args] = event;
    const [kind, label] = data.lanes[lane] ?? ["", ""];
    const start = data.events[0]?.[0] ?? 0;
    const span = (data.events.at(-1)?.[0] ?? 0) - start;
    const title = element("h2", "", data.names[name]);
    const table = element("dl", "args");
    this.#fact(table, "where", `${label} (${kind})`);
    this.#fact(table, "when", timeText(ts - start, span));
    for (const [key, value] of Object.entries(args)) {
      this.#fact(table, key, String(value));
    }
    const links = element("div", "links");
    this.#link(links, "set off by", causeOf[at] as number, 0);
    this.#link(links, "sets off", effectOf[at] as number, 1);
    const broken = (brokenAt.get(at) ?? []).map((i) => this.#rule(i));
    this.#event.replaceChildren(title, ...broken, table, links);
    if (request >= 0) this.#event.append(this.#stages(request));
    this.#mark(request);
  }

  #fact(table: HTMLElement, name: string, value: string): void {
    table.append(element("dt", "", name), element("dd", "", value));
  }

  #link(to: HTMLElement, text: string, arrow: number, end: 0 | 1): void {
    const { data } = this.#rows;
    const found = data.arrows[arrow];
    if (found === undefined) return;
    const at = found[end];
    const other = data.events[at];
    if (other === undefined) return;
    const [, lane, name] = other;
    const place = `${data.names[name]} in ${data.lanes[lane]?.[1]}`;
    to.append(this.#button(`${text} ${place}`, () => this.onSelect(at)));
  }

  #button(text: string, onClick: () => void): HTMLButtonElement {
    const button = element("button", "", text) as HTMLButtonElement;
    button.type = "button";
    button.addEventListener("click", onClick);
    return button;
  }

  /** The times that a request has taken, from stage to stage. */
  #stages(request: number): HTMLElement {
    const { data } = this.#rows;
    const [label, first, last] = data.requests[request] ?? ["", 0, 0];
    const root = element("div", "stages");
    root.style.setProperty("--hue", String(hueOf(request)));
    root.append(element("h3", "", label));
    const start = data.events[first]?.[0] ?? 0;
    const span = Math.max(1, (data.events[last]?.[0] ?? 0) - start);
    const names = new Set([
      "submit_bio",
      "bio_endio",
      "workqueue_execute_start",
      "aio_complete",
      "direct_IO_return",
    ]);
    for (let at = first; at <= last; at++) {
      const event = data.events[at] as PageData["events"][0];
      const name = data.names[event[2]] ?? "";
      if (event[3] !== request || !names.has(name)) continue;
      const row = this.#button(name, () => this.onSelect(at));
      const bar = element("span", "bar");
      bar.style.width = `${(event[0] - start) / span * 100}%`;
      row.append(element("time", "", timeText(event[0] - start, span)), bar);
      root.append(row);
      if (root.childElementCount > 40) break;
    }
    return root;
  }

  #rule(i: number): HTMLElement {
    const { data } = this.#rows;
    const { rule, sentence, expected, events } = data
      .broken[i] as PageData["broken"][0];
    const root = element("article", "rule");
    root.append(
      element("h3", "", rule),
      element("p", "", `${sentence}.`),
      element("p", "expected", `expected ${expected}`),
    );
    for (const at of events) {
      const name = data.names[data.events[at]?.[2] ?? 0] ?? "";
      const seq = data.events[at]?.[5]["seq"] ?? at;
      root.append(this.#button(`${seq} ${name}`, () => this.onSelect(at)));
    }
    return root;
  }

  #listBroken(): void {
    const { broken } = this.#rows.data;
    const text = broken.length === 0
      ? "No rule is broken"
      : `${broken.length} violation${broken.length === 1 ? "" : "s"}`;
    this.#broken.classList.toggle("none", broken.length === 0);
    this.#broken.append(element("h2", "", text));
    broken.slice(0, 50).forEach((_, i) => this.#broken.append(this.#rule(i)));
  }

  #listRequests(): void {
    const { requests } = this.#rows.data;
    this.#requests.append(element(
      "h2",
      "",
      `${requests.length} request${requests.length === 1 ? "" : "s"}`,
    ));
    requests.slice(0, MAX_LISTED).forEach(([label], i) => {
      const button = this.#button(label, () => {
        this.onFilter(this.#rows.filter.request === i ? -1 : i);
      });
      button.style.setProperty("--hue", String(hueOf(i)));
      button.title = "Show this request alone";
      this.#requests.append(button);
    });
    const more = requests.length - MAX_LISTED;
    if (more > 0) this.#requests.append(element("p", "", `and ${more} more`));
  }

  #mark(request: number): void {
    const { filter } = this.#rows;
    this.#requests.querySelectorAll("button").forEach((button, i) => {
      button.classList.toggle("current", i === request);
      button.setAttribute("aria-pressed", String(i === filter.request));
    });
  }
}
