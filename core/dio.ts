/**
 * `struct dio`: one direct I/O request, and `struct dio_submit`, what only its
 * submitter uses.
 *
 * A dio is referenced by its submitter and by every bio in flight; whoever
 * drops the last reference completes it. What happens then is in
 * `dio_complete.ts`; `dio_submit.ts` is where it begins.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { type Bio, READ, type Rw } from "./bio.ts";
import { BufferHead } from "./buffer_head.ts";
import type { Context, WaitTarget } from "./context.ts";
import type { DioOps } from "./filesystem.ts";
import type { Inode } from "./fs.ts";
import type { SpinLock } from "./lock.ts";
import type { IovIter } from "./iov_iter.ts";
import { type Page, PAGE_SIZE } from "./page.ts";
import { SlabObject } from "./slab.ts";
import { WorkItem } from "./work_item.ts";

/**
 * One direct I/O request: `struct dio`.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const dio = new Kernel().directIo.dioCache.alloc();
 * assertEquals([dio?.id, dio?.refcount], [1, 0]);
 * ```
 */
export class Dio extends SlabObject implements WaitTarget {
  /** Direction. */
  rw: Rw = READ;
  /** Flags of its bios: {@linkcode REQ_SYNC} and the like. */
  opf = 0;
  /** The file. */
  inode!: Inode;
  /** The request of the AIO layer, or of a system call that waits. */
  iocb!: Kiocb;
  /** The user's buffer. */
  iter!: IovIter;
  /** The filesystem's functions. */
  ops!: DioOps;
  /** `DIO_LOCKING`, `DIO_SKIP_HOLES`, … */
  flags = 0;
  /** Size of the file when the request began, in bytes. */
  iSize = 0;
  /** What the mapping function left for `end_io`. */
  private: unknown = null;
  /** Guards `refcount`, `bioList` and `waiter`. */
  bioLock!: SpinLock;
  /** 0, or the error of the first page that could not be pinned. */
  pageErrors = 0;
  /** 0, or the error of a bio. */
  ioError = 0;
  /** Whether the submitter returns before the end. */
  isAsync = false;
  /** Whether the last bio queues the completion. */
  deferCompletion = false;
  /** Whether it reads into pages of a process, which have to be dirty then. */
  shouldDirty = false;
  /** The submitter's reference, and one for each bio in flight. */
  refcount = 0;
  /** Bios that have ended and wait for the submitter, the newest first. */
  bioList: Bio | null = null;
  /** The submitter, while it sleeps. */
  waiter: Context | null = null;
  /** Bytes handed to bios or filled with zeros. */
  result = 0;
  /** In its completion: first byte in the file. */
  offset = 0;
  /** In its completion: what the submission came to. */
  submitted = 0;
  /** In its completion: bytes transferred, a read cut to the file's size. */
  transferred = 0;
  /** In its completion: what it comes to, a count or a negative errno. */
  value = 0;
  /** In its completion: whether the AIO callback is told, not the submitter. */
  reported = false;
  /** In its completion: whether it runs where cached pages can be dropped. */
  mayInvalidate = false;
  /**
   * What the memory at the end of the dio is used as: the page array while
   * pages are pinned, then the work item of the deferred completion.
   */
  overlay: "pages" | "work" = "pages";
  /** The deferred completion, once {@linkcode overlay} says so. */
  readonly completeWork: WorkItem = new WorkItem();
  /**
   * What only the submitter uses, and only while it submits: what lies on its
   * stack.
   */
  sdio!: DioSubmit;

  /**
   * Says what a submitter waits for.
   *
   * @returns E.g. `the bios of dio 1 to end, 2 in flight`.
   */
  describe(): string {
    return `the bios of dio ${this.id} to end, ${this.refcount - 1} in flight`;
  }
}

/**
 * The state of a submission: `struct dio_submit`.
 *
 * Positions are bytes; on the device and in the file alike they are whole
 * blocks of `2^blkbits` bytes.
 *
 * @example
 * ```ts
 * import { DioSubmit } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const sdio = new DioSubmit();
 * sdio.reset(4096, 8192);
 * assertEquals([sdio.position, sdio.end], [4096, 12288]);
 * ```
 */
export class DioSubmit {
  /** The bio under construction. */
  bio: Bio | null = null;
  /** First byte of the request in the file. */
  begin = 0;
  /** Next byte of the file. */
  position = 0;
  /** End of the request in the file. */
  end = 0;
  /** End in the file of what is mapped in one go. */
  segmentEnd = 0;
  /** Binary logarithm of the filesystem's block size, sampled once. */
  iBlkbits = 0;
  /** Binary logarithm of the blocks that the request is made of. */
  blkbits = 0;
  /** Bytes of the current mapping that are left. */
  available = 0;
  /** Next byte on the device, when the current mapping is mapped. */
  devicePosition = 0;
  /** Whether the first block has been looked at for bytes to zero. */
  startZeroDone = false;
  /** Whether the bio ends here: what follows needs metadata to be read. */
  boundary = false;
  /** Pages that bios are still to be made room for. */
  pagesInIo = 0;
  /** Bios made so far, to know when to reap. */
  bios = 0;
  /** Where in the file the bio under construction begins. */
  bioPosition = 0;
  /** The deferred section: its page, or null. */
  curPage: Page | null = null;
  /** Where in its page it starts. */
  curOffset = 0;
  /** Its length in bytes. */
  curLength = 0;
  /** Where on the device it starts. */
  curDevice = 0;
  /** Where in the file it starts. */
  curPosition = 0;
  /** The first page of the array that is not used up. */
  head = 0;
  /** Behind the last page of the array. */
  tail = 0;
  /** Where in the first page the buffer goes on. */
  from = 0;
  /** Where in the last page the buffer ends. */
  to = 0;
  /**
   * The page array: pages that are pinned and not used up. In Linux it lies in
   * the dio; whose memory it is is {@linkcode Dio.overlay}.
   */
  readonly pages: Page[] = [];
  /** The answer of the last mapping call. */
  readonly mapBh: BufferHead = new BufferHead();
  /** First block of the last mapping call. */
  block = 0;
  /** Bytes that the last mapping call asked for. */
  wanted = 0;

  /** Where in the first page of the array the buffer ends. */
  get pageEnd(): number {
    return this.head === this.tail - 1 ? this.to : PAGE_SIZE;
  }

  /**
   * Starts a request.
   *
   * @param offset First byte in the file.
   * @param bytes How many.
   */
  reset(offset: number, bytes: number): void {
    this.bio = null;
    this.begin = offset;
    this.position = offset;
    this.end = offset + bytes;
    this.available = 0;
    this.devicePosition = 0;
    this.startZeroDone = false;
    this.boundary = false;
    this.bios = 0;
    this.curPage = null;
    this.head = 0;
    this.tail = 0;
    this.mapBh.bState = 0;
    this.mapBh.bPrivate = null;
  }
}
