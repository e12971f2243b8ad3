/**
 * The run that holds the core to a row of the table.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { checkTrace, RULES } from "../../conformance/mod.ts";
import type { Kiocb } from "../aio.ts";
import { READ, type Rw, WRITE } from "../bio.ts";
import { blockdevDirectIO } from "../dio_submit.ts";
import type { DioOps, Filesystem } from "../filesystem.ts";
import { O_DIRECT, O_DSYNC } from "../fs.ts";
import type { Iovec, IovIter } from "../iov_iter.ts";
import { type Page, PAGE_SIZE } from "../page.ts";
import { PROFILE_NAMES, type ProfileName, profileOf } from "../profile.ts";
import { finish, type MaybeTask, type Task } from "../step.ts";
import { fifo, random, type Strategy } from "../strategy.ts";
import { type DioRow, QUEUED } from "./dio_row.ts";
import { Rig } from "./identity_fs.ts";
import { TableFile } from "./table_file.ts";

const DEVICE_BYTES = 1 << 19;
const STORED = Uint8Array.from({ length: DEVICE_BYTES }, (_, at) => stored(at));
/** What the buffer of a read holds before it. */
const POISON = 0xa5;
const WHOLE_FILE = "mmmmmmmmmmmmmmmm";

/** Holds the core to a row: in every profile that it is about, and whether or
 * not somebody decides about every step. */
export function checkRow(row: DioRow): void {
  for (const profile of row.profiles ?? PROFILE_NAMES) {
    for (const strategy of [fifo(), random(1), random(2)]) {
      new RowRun(row, profile, strategy).check();
    }
  }
}

class RowRun {
  readonly #row: DioRow;
  readonly #rig: Rig;
  readonly #file: TableFile;
  readonly #rw: Rw;
  readonly #offset: number;
  readonly #iov: readonly Iovec[];
  readonly #bytes: number;
  readonly #iSize: number;
  readonly #isFifo: boolean;
  readonly #profile: ProfileName;
  #iocb: Kiocb | null = null;
  #returned: number | null = null;
  #endIo: number | null = null;

  constructor(row: DioRow, profile: ProfileName, strategy: Strategy) {
    const { fsBlock = 4096, file = WHOLE_FILE } = row;
    this.#row = row;
    this.#profile = profile;
    this.#isFifo = strategy.name === "fifo";
    this.#rw = row.rw === "read" ? READ : WRITE;
    this.#offset = row.offset ?? 0;
    this.#iSize = row.iSize ?? 65536;
    this.#file = new TableFile(file, fsBlock);
    this.#rig = this.#makeRig(row, profile, strategy, fsBlock);
    this.#rig.device.store.set(STORED);
    this.#iov = this.#makeBuffer(row);
    this.#bytes = this.#iov.reduce((sum, { len }) => sum + len, 0);
    this.#fillCache(row, fsBlock);
  }

  check(): void {
    const { isSync, dsync, kiFlags = 0, kernelPages = false } = this.#row;
    const request = {
      rw: this.#rw,
      offset: this.#offset,
      iov: this.#iov,
      fFlags: O_DIRECT | (dsync ? O_DSYNC : 0),
      flags: kiFlags,
      kernelPages,
    };
    if (isSync) this.#rig.submitSync(request);
    else this.#rig.submit(request);
    // Also that every page, bio and dio was released once.
    const events = this.#rig.finish();
    assertEquals(events.length, 1, "one-completion");
    assertEquals(events[0]?.res, this.#row.result, "result");
    this.#checkOutcome();
    this.#checkCalls();
    if (this.#rw === READ) this.#checkBuffer();
    else this.#checkDevice();
    this.#checkReleased();
    if (this.#row.isBare) return;
    const { trace } = this.#rig.kernel;
    const { bioMaxPages } = this.#row;
    // A trace tells neither of bios smaller than Linux makes them, nor of
    // whose pages they are; what new blocks show is no business of the core's,
    // nor is the page cache, which would take what is not written.
    const rules = RULES.filter(({ id }) =>
      !(bioMaxPages && id === "mapping-and-bios/mapped-first") &&
      !(kernelPages && id.startsWith("pages-dirtied/")) &&
      id !== "convert-only-written/no-new-block-inside" &&
      id !== "partial-progress/not-nothing"
    );
    const { violations } = checkTrace(trace.events(), {
      profile: this.#profile,
      rules,
    });
    assertEquals(violations.map(({ rule, expected }) => [rule, expected]), []);
  }

  #makeRig(
    row: DioRow,
    profile: ProfileName,
    strategy: Strategy,
    fsBlock: number,
  ): Rig {
    const { sector = 512, failing = {}, completion, allocFault } = row;
    const { bioMaxPages } = row;
    const faults = Object.entries(failing)
      .map(([nth, error]) => ({ nth: Number(nth), error }));
    return new Rig({
      profile,
      strategy,
      iSize: this.#iSize,
      blkbits: Math.log2(fsBlock),
      device: {
        sizeBytes: DEVICE_BYTES,
        logicalBlockSize: sector,
        faults,
        ...(completion && { completion }),
      },
      ...(allocFault && { allocFaults: [allocFault] }),
      ...(bioMaxPages && { bioMaxPages }),
      fs: this.#makeFilesystem(row),
    });
  }

  #makeFilesystem(row: DioRow): Partial<Filesystem> {
    const { endIoReturns, syncReturns, isBare, flags } = row;
    const getBlock: DioOps["getBlock"] = (_inode, iblock, bh, create) =>
      this.#file.getBlock(iblock, bh, create);
    const endIo = (_iocb: Kiocb, _offset: number, told: number): number => {
      this.#endIo = told;
      return endIoReturns ?? 0;
    };
    const ops = { getBlock, ...(endIoReturns !== undefined && { endIo }) };
    const directIO: Filesystem["directIO"] = (rw, iocb, iter, offset) => {
      this.#iocb = iocb;
      const { fInode } = iocb.kiFilp;
      return blockdevDirectIO(rw, iocb, fInode, iter, offset, ops, flags);
    };
    const bare = (iocb: Kiocb, iter: IovIter): Task<number> =>
      this.#bare(directIO(this.#rw, iocb, iter, iocb.kiPos));
    return {
      directIO,
      ...((row.fallback || row.cache) && { getBlock }),
      ...(syncReturns !== undefined && { fsync: () => syncReturns }),
      ...(isBare && { aioRead: bare, aioWrite: bare }),
    };
  }

  *#bare(call: MaybeTask<number>): Task<number> {
    return this.#returned = yield* finish(call);
  }

  #makeBuffer({ iov, bytes = 4096, unmapped = [] }: DioRow): Iovec[] {
    const { memory } = this.#rig.kernel;
    let filled = 0;
    let pages = 0;
    return (iov ?? [[bytes, 0] as const]).map(([len, shift]) => {
      const base = memory.alloc(len, shift);
      const content = memory.bytes(base, len);
      if (this.#rw === READ) content.fill(POISON);
      else content.forEach((_, at) => content[at] = written(filled + at));
      filled += len;
      const count = Math.ceil((shift % PAGE_SIZE + len) / PAGE_SIZE);
      for (let i = 0; i < count; i++) {
        const isUnmapped = unmapped.includes(pages + i);
        if (isUnmapped) memory.unmap(base - shift + i * PAGE_SIZE, 1);
      }
      pages += count;
      return { base, len };
    });
  }

  #fillCache({ cache = {} }: DioRow, fsBlock: number): void {
    const { inode, kernel } = this.#rig;
    for (const [index, state] of Object.entries(cache)) {
      const cached = inode.iMapping.add(Number(index));
      const begin = Number(index) * PAGE_SIZE;
      const { bytes } = cached.page;
      for (let at = 0; at < PAGE_SIZE; at++) {
        const device = this.#file.deviceByte(begin + at);
        if (at % fsBlock === 0) cached.blocks[at / fsBlock] = device / fsBlock;
        bytes[at] = state === "dirty" ? dirtied(begin + at) : stored(device);
      }
      cached.uptodate = true;
      if (state === "dirty") cached.dirty = (1 << PAGE_SIZE / fsBlock) - 1;
      if (state === "busy") cached.holders = 1;
      cached.unlock(kernel);
    }
  }

  #checkOutcome(): void {
    const { result, newSize = this.#iSize, returned = result } = this.#row;
    const actual = this.#rig.events("direct_IO_return").at(-1)?.["ret"];
    if (actual !== undefined) this.#returned = Number(actual);
    // A request that the caller has answered did not get to the method.
    if (this.#returned !== null && !this.#isEarly(returned)) {
      assertEquals(this.#returned, returned, "what the method returned");
    }
    assertEquals(this.#rig.inode.iSize, newSize, "the size afterwards");
    const iocb = this.#iocb;
    // Who moves it for a request that is waited for is the caller.
    if (iocb === null || this.#row.isBare) return;
    const moves = this.#returned !== QUEUED ||
      profileOf(this.#profile).kiPosInCompletion;
    const expected = this.#offset + (moves ? Math.max(result, 0) : 0);
    const position = this.#isEarly(returned) ? undefined : this.#row.position;
    assertEquals(iocb.kiPos, position ?? expected, "position");
  }

  /** Whether the bios were faster than the submitter, which may always be. */
  #isEarly(returned: number): boolean {
    return !this.#isFifo && returned === QUEUED &&
      this.#returned === this.#row.result;
  }

  #checkCalls(): void {
    const { bios, maps, endIo, isDeferred, isCounted, events } = this.#row;
    const { absent = [] } = this.#row;
    const rig = this.#rig;
    const submitted = rig.events("submit_bio").filter(({ dio }) => dio !== 0);
    assertEquals(
      submitted.map(({ sector, size }) => [sector, size]),
      bios.map(([sector, size]) => [sector, size]),
      "bios",
    );
    if (maps !== undefined) {
      assertEquals(
        rig.events("get_block").map((call) => [
          call["iblock"],
          call["blocks"],
          call["create"],
        ]),
        maps.map((map) => [...map]),
        "mapping calls",
      );
    }
    if (endIo !== undefined) assertEquals(this.#endIo, endIo, "end_io");
    if (isDeferred !== undefined) {
      const queued = rig.events("queue_work").some(({ dio }) => dio !== 0);
      const isEarly = this.#isEarly(this.#row.returned ?? NaN);
      assertEquals(queued, isDeferred && !isEarly, "deferred");
    }
    if (isCounted !== undefined) {
      const counts = rig.order("inode_dio_begin", "inode_dio_done");
      assertEquals(counts.length, isCounted ? 2 : 0, "i_dio_count");
    }
    assertEquals(rig.order(...absent), [], "what did not happen");
    if (events === undefined || !this.#isFifo) return;
    assertEquals(rig.order(...new Set(events)), [...events], "events");
  }

  /** What a read has put into the buffer, as far as it says that it has. */
  #checkBuffer(): void {
    const { memory } = this.#rig.kernel;
    const { cache = {} } = this.#row;
    let at = this.#offset;
    const end = at + Math.max(this.#row.result, 0);
    for (const { base, len } of this.#iov) {
      for (const byte of memory.bytes(base, len)) {
        if (at >= end) return;
        const state = cache[Math.floor(at / PAGE_SIZE)];
        const onDevice = state === "dirty" && !this.#row.isStale
          ? dirtied(at)
          : stored(this.#file.deviceByte(at));
        const expected = this.#file.isWritten(at) ? onDevice : 0;
        assertEquals(byte, expected, `byte ${at} that was read`);
        at++;
      }
    }
  }

  /** Nothing but what the bios were to write has changed on the device. */
  #checkDevice(): void {
    const { bios, cache = {}, failing = {}, buffered = 0 } = this.#row;
    const { result } = this.#row;
    const { store } = this.#rig.device;
    const expected = STORED.slice();
    for (const [index, state] of Object.entries(cache)) {
      const begin = Number(index) * PAGE_SIZE;
      const isFlushed = state === "dirty" && failing[1] === undefined;
      for (let at = begin; at < begin + PAGE_SIZE && isFlushed; at++) {
        expected[this.#file.deviceByte(at)] = dirtied(at);
      }
    }
    bios.forEach(([sector, size], nth) => {
      if (failing[nth + 1] !== undefined) return;
      for (let at = sector * 512; at < sector * 512 + size; at++) {
        expected[at] = this.#fromBuffer(this.#file.fileByte(at));
      }
    });
    const direct = this.#offset + result - buffered;
    for (let at = direct; at < direct + buffered; at++) {
      expected[this.#file.deviceByte(at)] = this.#fromBuffer(at);
    }
    const wrong = store.findIndex((byte, at) => byte !== expected[at]);
    assertEquals(store[wrong], expected[wrong], `byte ${wrong} of the device`);
  }

  /** What a write puts at a byte of the file: data, or zeros around it. */
  #fromBuffer(position: number): number {
    const at = position - this.#offset;
    if (at < 0 || at >= this.#bytes) return 0;
    const { iov, unmapped = [] } = this.#row;
    let page = 0;
    let begin = 0;
    for (const [len, shift] of iov ?? [[this.#bytes, 0] as const]) {
      if (at < begin + len) {
        const faults = unmapped.filter((index) => index >= page).toSorted()[0];
        const here = page + Math.floor((shift + at - begin) / PAGE_SIZE);
        const isPadded = faults !== undefined && here >= faults &&
          faults < page + Math.ceil((shift + len) / PAGE_SIZE);
        return isPadded ? 0 : written(at);
      }
      begin += len;
      page += Math.ceil((shift + len) / PAGE_SIZE);
    }
    return 0;
  }

  #checkReleased(): void {
    const { isDirty, unmapped = [] } = this.#row;
    const { memory } = this.#rig.kernel;
    const { base, len } = this.#iov[0] ?? { base: 0, len: 0 };
    for (let at = 0; at < len && unmapped.length === 0; at += PAGE_SIZE) {
      const page = memory.pin(base + at) as Page;
      assertEquals(--page.pins, 0, "every page was unpinned");
      if (isDirty !== undefined) assertEquals(page.dirty, isDirty, "dirty");
    }
    const count = (ev: string): number => this.#rig.order(ev).length;
    assertEquals(count("bio_put"), count("submit_bio"), "every bio was put");
    assertEquals(count("dio_free"), count("dio_alloc"), "every dio was freed");
    assertEquals(this.#rig.inode.iMutex.owner, null, "i_mutex was released");
    assertEquals(this.#rig.sb.sWriters.count, 0, "nobody writes any more");
  }
}

/** What the device holds at a byte before the request. */
function stored(at: number): number {
  return 1 + (at * 7 + (at >> 9)) % 101;
}

/** What a write puts into its buffer at a byte. */
function written(at: number): number {
  return 128 + (at * 5 + (at >> 9)) % 97;
}

/** What the cache holds at a byte of the file that is not on the device. */
function dirtied(at: number): number {
  return 228 + (at + (at >> 9)) % 13;
}
