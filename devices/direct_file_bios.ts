/**
 * Bios of a simulated kernel as requests on the queue of a file.
 *
 * @module
 */

import {
  type Bio,
  EIO,
  type Page,
  REQ_FUA,
  REQ_NOWAIT,
  SECTOR_SHIFT,
  WRITE,
} from "../core/mod.ts";
import type { DirectFileEngine } from "./direct_file_engine.ts";
import { RWF_DSYNC, RWF_NOWAIT, SUBMIT_BATCH } from "./engine.ts";

/** The bios that a file has; their tags are 0 or more. */
export class BioRequests {
  readonly #engine: DirectFileEngine;
  /** The bios at their tags; null where a tag is free. */
  readonly #bios: (Bio | null)[];
  /** A stack of the free tags. */
  readonly #freeTags: Int32Array;
  #freeCount: number;

  /** @param engine The queue that they go to. */
  constructor(engine: DirectFileEngine) {
    const { queueDepth } = engine;
    this.#engine = engine;
    this.#bios = new Array(queueDepth).fill(null);
    this.#freeTags = Int32Array.from({ length: queueDepth }, (_, i) => i);
    this.#freeCount = queueDepth;
  }

  /** Bios that were taken and have not come back. */
  get inFlight(): number {
    return this.#bios.length - this.#freeCount;
  }

  /**
   * Makes a request of a bio.
   *
   * @param bio The bio; its pages have real addresses.
   * @returns Whether there was room.
   * @throws {RangeError} If a page is not in memory of the engine.
   */
  start(bio: Bio): boolean {
    if (this.#freeCount === 0) return false;
    const engine = this.#engine;
    const tag = this.#freeTags[this.#freeCount - 1] as number;
    const op = bio.biRw === WRITE ? "write" : "read";
    const offset = bio.biSector * (1 << SECTOR_SHIFT);
    if (engine.prepare(op, offset, tag, requestFlags(bio)) !== 0) return false;
    for (let i = 0; i < bio.biVcnt; i++) {
      const { address } = bio.pages[i] as Page;
      const offset = bio.offsets[i] as number;
      engine.pushSegment(address + offset, bio.lengths[i] as number);
    }
    // Only now, because a segment that is refused drops the request.
    this.#freeCount--;
    this.#bios[tag] = bio;
    if (engine.prepared >= SUBMIT_BATCH) engine.submit();
    return true;
  }

  /** The bio of a result, its error set and its tag free again. */
  take(tag: number, result: number): Bio {
    const bio = this.#bios[tag] as Bio;
    this.#bios[tag] = null;
    this.#freeTags[this.#freeCount++] = tag;
    // A success leaves what is there: the first bio of a request may hold
    // the error of another one.
    bio.biError = errorOf(bio, result) || bio.biError;
    return bio;
  }
}

/**
 * Checks that a device can reach the pages of a bio.
 *
 * @param bio The bio.
 * @param name The device's name.
 * @throws {TypeError} If a page has no real address.
 */
export function checkAddresses(bio: Bio, name: string): void {
  for (let i = 0; i < bio.biVcnt; i++) {
    if ((bio.pages[i] as Page).address !== 0) continue;
    throw new TypeError(
      `Cannot submit bio: its pages have no real address for ${name} to transfer to; make the kernel with { memory: device.memory(bytes) }`,
    );
  }
}

function requestFlags(bio: Bio): number {
  const isDsync = bio.biRw === WRITE && (bio.biOpf & REQ_FUA) !== 0;
  const isNowait = (bio.biOpf & REQ_NOWAIT) !== 0;
  return (isDsync ? RWF_DSYNC : 0) | (isNowait ? RWF_NOWAIT : 0);
}

/**
 * What a bio ends with. A bio has no count: it ends whole or with an error.
 * It is whole blocks inside the device, which `submitBio()` of the core has
 * checked, so a short transfer is never the end of the file; something broke
 * on the way (the file was cut, the filesystem ran full), and nothing says
 * what.
 */
function errorOf(bio: Bio, result: number): number {
  if (result < 0) return result;
  return result === bio.biSize ? 0 : -EIO;
}
