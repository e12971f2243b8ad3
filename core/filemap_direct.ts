/**
 * What direct reads and writes have in common for those who call a
 * filesystem's `directIO`.
 *
 * Source: mm/filemap.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import type { Rw } from "./bio.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import type { IovIter } from "./iov_iter.ts";

/** Whether a direct transfer stopped short of what the cache can do. */
export function needsFallback(
  { iSb: { fs } }: Inode,
  done: number,
  count: number,
): boolean {
  return done >= 0 && done < count && fs.getBlock !== undefined;
}

/** Pages are pinned ahead: sets a walk to what was really transferred. */
export function skipTo(iter: IovIter, count: number, done: number): void {
  iter.revert(count - iter.count);
  iter.advance(done);
}

/** Records that the filesystem's method is left. */
export function traceReturn(inode: Inode, id: number, ret: number): void {
  const { kernel } = inode.iSb;
  if (kernel.tracing) kernel.emit(EV.direct_IO_return, id, inode.iIno, ret);
}

/** Records that the filesystem's method is entered. */
export function traceDirectIO(iocb: Kiocb, inode: Inode, rw: Rw): void {
  inode.iSb.kernel.emit(
    EV.direct_IO,
    iocb.id,
    inode.iIno,
    rw,
    iocb.kiPos,
    iocb.iter.count,
    Number(iocb.isSync),
    Number(iocb.needsSync),
    iocb.iter.iov.length > 1 ? iocb.iter.iov.length : NaN,
  );
}
