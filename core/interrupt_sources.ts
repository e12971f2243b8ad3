/**
 * Devices that deliver completions from outside.
 *
 * @module
 */

import type { InterruptSource } from "./kernel_options.ts";

/** The devices of a kernel that deliver completions from outside. */
export class InterruptSources {
  readonly #sources: InterruptSource[] = [];

  /** Lists a device. */
  add(source: InterruptSource): void {
    this.#sources.push(source);
  }

  /** Waits for one that has requests in flight; false when none has. */
  reap(): boolean {
    for (const source of this.#sources) {
      if (source.inFlight === 0) continue;
      source.reap();
      return true;
    }
    return false;
  }
}
