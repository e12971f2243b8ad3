/**
 * The bios that are alive in a trace.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { Ids } from "./ids.ts";
import type { BioState, DioState } from "./request_state.ts";
import type { ThreadState } from "./threads.ts";

/**
 * Follows bios through a trace, each from its submission until its end handler
 * begins.
 *
 * @example
 * ```ts
 * import { Bios } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...new Bios().all], []);
 * ```
 */
export class Bios {
  readonly #bios: Map<number, BioState> = new Map();
  readonly #ids: Ids = new Ids();

  /** Every bio that is alive. */
  get all(): Iterable<BioState> {
    return this.#bios.values();
  }

  /** How many those are. */
  get size(): number {
    return this.#bios.size;
  }

  /** Forgets everything, for another trace. */
  reset(): void {
    this.#bios.clear();
    this.#ids.reset();
  }

  /**
   * The bio of an event.
   *
   * @param event The event.
   * @returns Its state, or undefined when the event names none that is alive.
   */
  of(event: TraceEvent): BioState | undefined {
    return event.bio === undefined ? undefined : this.#bios.get(event.bio);
  }

  /**
   * Whether an event names a bio that has ended.
   *
   * @param event The event.
   * @returns True when it does.
   */
  gone(event: TraceEvent): boolean {
    const { bio } = event;
    return bio !== undefined && this.#ids.was(bio) && !this.#bios.has(bio);
  }

  /**
   * Takes an event about a bio into account.
   *
   * @param event The event.
   * @param dio The dio of the bio, if that is alive.
   * @param thread The thread that it happened in.
   */
  update(
    event: TraceEvent,
    dio: DioState | undefined,
    thread: ThreadState,
  ): void {
    const id = event.bio ?? 0;
    switch (event.ev) {
      case "bio_set_pages_dirty":
      case "bio_check_pages_dirty":
        return mark(event, thread);
      case "submit_bio":
        this.#ids.add(id);
        this.#bios.set(id, { submit: event, dio, ended: undefined });
        dio?.submit(event);
        return;
      case "dio_page_error":
        this.#pageError(event, dio);
        return;
      case "bio_endio": {
        const bio = this.#bios.get(id);
        if (bio !== undefined) bio.ended = event;
        if ((event.dio ?? 0) === 0) this.#bios.delete(id);
        else thread.ending = event;
        dio?.end(event, Number(bio?.submit["opf"] ?? 0));
        return;
      }
      default:
        this.#bios.delete(id);
        thread.ending = undefined;
        thread.handled = id;
        thread.handledFor = dio;
        if (dio !== undefined && dio.unhandled > 0) dio.unhandled--;
    }
  }

  /** A bio whose pages cannot be pinned is ended without being submitted. */
  #pageError(event: TraceEvent, dio: DioState | undefined): void {
    if (dio === undefined) return;
    dio.pageError ??= event;
    if (event.bio === undefined) return;
    this.#ids.add(event.bio);
    this.#bios.set(event.bio, { submit: event, dio, ended: undefined });
    dio.inFlight++;
  }
}

/**
 * Pages are marked as dirty: by the submitter, before or after the transfer;
 * or their end finds them so.
 */
function mark(event: TraceEvent, thread: ThreadState): void {
  const { handled, handledFor, request } = thread;
  if (event.ev === "bio_check_pages_dirty") {
    if (event.bio === handled && handledFor) handledFor.marked++;
    return;
  }
  thread.dirtied = event.bio ?? 0;
  if (request?.isSync && request.liveDio) request.liveDio.marked++;
}
