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
  REQ_POLLED,
  SECTOR_SHIFT,
  WRITE,
} from "../core/mod.ts";
import { type OtherResults, reapError } from "./direct_file_async.ts";
import type { DirectFileEngine } from "./direct_file_engine.ts";
import { RWF_DSYNC, RWF_NOWAIT, SUBMIT_BATCH } from "./engine.ts";

/** How many results are taken at once after a wait. */
const FIRST_PORTION = 2;

/**
 * The bios that a file has. Their tags are 0 or more; others can use the same
 * queue with negative ones.
 */
export class BioRequests {
  /** Takes the bios that have come back, but for those that are polled for. */
  ended: (bio: Bio) => void = () => {};
  /** Takes the results of others. */
  other: OtherResults = () => {};
  readonly #engine: DirectFileEngine;
  /** The bios at their tags; null where a tag is free. */
  readonly #bios: (Bio | null)[];
  /** A stack of the free tags. */
  readonly #freeTags: Int32Array;
  #freeCount: number;
  /** Bios that have come back, and that somebody will look for, by `id`. */
  readonly #polled: Map<number, Bio> = new Map();
  #portion = FIRST_PORTION;

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

  /**
   * Hands over what was submitted, waits until a request or more has come
   * back, and takes results. They come in bursts: of these a few are taken
   * first, so that what follows them keeps the file busy, and then twice as
   * many each time.
   *
   * @throws {DeviceError} If the host's asynchronous I/O itself fails.
   */
  reap(): void {
    const { path, queueDepth, results, resultTags } = this.#engine;
    const portion = this.#portion;
    const count = this.#engine.submitAndReap(1, portion);
    if (count < 0) throw reapError(path, count);
    this.#portion = count === portion
      ? Math.min(2 * portion, queueDepth)
      : FIRST_PORTION;
    for (let i = 0; i < count; i++) {
      const tag = resultTags[i] as number;
      const result = results[i] as number;
      if (tag < 0) this.other(tag, result);
      else this.end(tag, result);
    }
  }

  /**
   * Looks for a bio with `REQ_POLLED` until it has come back.
   *
   * @param id Its `id`.
   * @returns The bio; null when the file does not have it.
   */
  poll(id: number): Bio | null {
    while (this.#bios.some((bio) => bio?.id === id)) this.reap();
    const bio = this.#polled.get(id) ?? null;
    this.#polled.delete(id);
    return bio;
  }

  /** Waits for the bios in flight; they end nowhere. */
  drop(): void {
    this.ended = () => {};
    while (this.inFlight > 0) this.reap();
    this.#polled.clear();
  }

  /** Ends the bio of a result: its error is set, its tag is free again. */
  end(tag: number, result: number): void {
    const bio = this.#bios[tag] as Bio;
    this.#bios[tag] = null;
    this.#freeTags[this.#freeCount++] = tag;
    // A success leaves what is there: the first bio of a request may hold
    // the error of another one.
    bio.biError = errorOf(bio, result) || bio.biError;
    if ((bio.biOpf & REQ_POLLED) !== 0) this.#polled.set(bio.id, bio);
    else this.ended(bio);
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
