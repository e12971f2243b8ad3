/**
 * One request as a row of a table: what it is, what it meets, and what has to
 * come of it.
 *
 * @module
 */

import type { CompletionContext } from "../../devices/mod.ts";
import { EIOCBQUEUED } from "../errno.ts";
import type { AllocFault } from "../kernel_options.ts";
import type { ProfileName } from "../profile.ts";

/** What a page of the cache is when the request comes. */
export type Cached = "clean" | "dirty" | "busy";

/** A request, and what it comes to. Lengths and positions are in bytes. */
export interface DioRow {
  /** Where SEMANTICS.md says so, e.g. `a.2.3`. */
  readonly clause: string;
  /** What it is about. */
  readonly title: string;
  /** Whose semantics; all without it. */
  readonly profiles?: readonly ProfileName[];

  readonly rw: "read" | "write";
  readonly offset?: number;
  /** Length of a buffer in one piece, on a page boundary. */
  readonly bytes?: number;
  /** The pieces of the buffer: length, and how far behind a page boundary. */
  readonly iov?: readonly (readonly [bytes: number, shift: number])[];
  readonly isSync?: boolean;
  readonly dsync?: boolean;
  /** `IOCB_NOWAIT` and the like. */
  readonly kiFlags?: number;
  readonly kernelPages?: boolean;
  /** `DIO_LOCKING` and the like; by default locking that skips holes. */
  readonly flags?: number;

  /** The file, drawn as {@linkcode TableFile} says; 16 written blocks. */
  readonly file?: string;
  readonly fsBlock?: 512 | 1024 | 2048 | 4096;
  readonly sector?: 512 | 4096;
  readonly iSize?: number;
  /** Pages of the file that are cached. */
  readonly cache?: Readonly<Record<number, Cached>>;
  /** Whether what is left goes through the page cache. */
  readonly fallback?: boolean;
  /** Pages of the buffer, over all its pieces, that cannot be pinned. */
  readonly unmapped?: readonly number[];
  /** Bios that fail, counted from 1, and with what. */
  readonly failing?: Readonly<Record<number, number>>;
  readonly allocFault?: AllocFault;
  readonly completion?: CompletionContext;
  readonly bioMaxPages?: number;
  /** Whether the filesystem has an `end_io`, and what it returns. */
  readonly endIoReturns?: number;
  /** What the filesystem's `fsync` returns, if it has one. */
  readonly syncReturns?: number;
  /** Whether the method is called straight, without what mm/filemap.c does. */
  readonly isBare?: boolean;

  /** What the user gets. */
  readonly result: number;
  /** What the method returned, when that is another number. */
  readonly returned?: number;
  /** The request's bios: first sector and size. */
  readonly bios: readonly (readonly [sector: number, size: number])[];
  /** Mapping calls: first block, how many are wanted, whether to create. */
  readonly maps?: readonly (readonly [number, number, 0 | 1])[];
  /** What `end_io` was told, null when it was not called. */
  readonly endIo?: number | null;
  /** The size afterwards, when it is another one. */
  readonly newSize?: number;
  /** The position afterwards, when it has not moved by what was returned. */
  readonly position?: number;
  /** Whether `i_dio_count` was raised and dropped. */
  readonly isCounted?: boolean;
  /** Whether the completion went through the workqueue. */
  readonly isDeferred?: boolean;
  /** Bytes behind those written directly that came through the page cache. */
  readonly buffered?: number;
  /** Whether a read gets what is on the device where the cache has more. */
  readonly isStale?: boolean;
  /** Whether the pages of the buffer are dirty. */
  readonly isDirty?: boolean;
  /** What happened, in order, of the events that are named. */
  readonly events?: readonly string[];
  /** What did not happen. */
  readonly absent?: readonly string[];
}

/** The code of the queued request, as a row writes it. */
export const QUEUED: number = -EIOCBQUEUED;
