/**
 * The files that something is alive on in a trace.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import type { ThreadState } from "./threads.ts";

/**
 * What a trace has told of a file.
 *
 * @example
 * ```ts
 * import { InodeState } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new InodeState(12, 0).count, 0);
 * ```
 */
export class InodeState {
  /** Its number. */
  readonly ino: number;
  /** Its size in bytes; NaN while nothing has told it. */
  size: number = NaN;
  /** `i_dio_count`; NaN when the trace began or has a gap in the middle. */
  count: number;
  /** What changed the count last. */
  counted: TraceEvent | undefined = undefined;
  /** How often the count has dropped to zero. */
  zeros = 0;
  /** How often blocks of it may have been freed. */
  cuts = 0;
  /** Requests and calls that are alive on it. */
  users = 0;

  /**
   * Begins to follow a file.
   *
   * @param ino Its number.
   * @param count `i_dio_count`, or NaN.
   */
  constructor(ino: number, count: number) {
    this.ino = ino;
    this.count = count;
  }
}

/**
 * Follows files through a trace; holds only those that something is alive on.
 *
 * @example
 * ```ts
 * import { Inodes } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const inodes = new Inodes();
 * inodes.release(inodes.hold(12));
 * assertEquals([...inodes.all], []);
 * ```
 */
export class Inodes {
  readonly #inodes: Map<number, InodeState> = new Map();
  /** What the count of a file is taken for that has not been seen. */
  #firstCount = 0;

  /** Forgets everything, for another trace. */
  reset(): void {
    this.#inodes.clear();
    this.#firstCount = 0;
  }

  /** Notes that events are missing from the trace. */
  lose(): void {
    this.#firstCount = NaN;
  }

  /** Every file that something is alive on. */
  get all(): Iterable<InodeState> {
    return this.#inodes.values();
  }

  /** How many those are. */
  get size(): number {
    return this.#inodes.size;
  }

  /**
   * The file of an event.
   *
   * @param event The event.
   * @returns Its state, or undefined when nothing is alive on it.
   */
  of(event: TraceEvent): InodeState | undefined {
    return event.ino === undefined ? undefined : this.#inodes.get(event.ino);
  }

  /**
   * Notes that something is alive on a file.
   *
   * @param ino Its number.
   * @returns Its state.
   */
  hold(ino: number): InodeState {
    const inode = this.#inodes.get(ino) ?? this.#make(ino);
    inode.users++;
    return inode;
  }

  /**
   * Notes that it is not any more.
   *
   * @param inode The file.
   */
  release(inode: InodeState): void {
    inode.users--;
    this.#forget(inode);
  }

  /**
   * Takes an event about a file into account.
   *
   * @param event The event.
   * @param thread The thread that it happened in.
   */
  update(event: TraceEvent, thread: ThreadState): void {
    const ino = event.ino ?? 0;
    const inode = this.#inodes.get(ino) ?? this.#make(ino);
    switch (event.ev) {
      case "i_size_write":
        resize(inode, Number(event["size"]));
        break;
      case "inode_dio_begin":
      case "inode_dio_done":
        recount(inode, event);
        break;
      case "punch_hole":
      case "truncate":
        inode.cuts++;
        inode.users++;
        return;
      case "punch_hole_return":
      case "truncate_return":
        inode.users = Math.max(0, inode.users - 1);
        break;
      case "inode_dio_wait":
        thread.zeros = inode.zeros;
    }
    this.#forget(inode);
  }

  #make(ino: number): InodeState {
    const inode = new InodeState(ino, this.#firstCount);
    this.#inodes.set(ino, inode);
    return inode;
  }

  /** Forgets a file that nothing is alive on. */
  #forget(inode: InodeState): void {
    if (inode.users <= 0 && !(inode.count > 0)) this.#inodes.delete(inode.ino);
  }
}

function resize(inode: InodeState, size: number): void {
  if (size < inode.size) inode.cuts++;
  inode.size = size;
}

function recount(inode: InodeState, event: TraceEvent): void {
  inode.count = Number(event["count"]);
  inode.counted = event;
  if (inode.count === 0) inode.zeros++;
}
