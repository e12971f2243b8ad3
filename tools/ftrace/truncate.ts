/**
 * Who waits for direct I/O to end before he changes the file under it.
 *
 * @module
 */

import { KEY } from "./args.ts";
import type { Recording } from "./recording.ts";
import { CODE } from "./probes.ts";
import { R } from "./rules.ts";

/** `inode_dio_wait` is entered. */
export function onWait(r: Recording): void {
  r.ctx.waitsFor = r.args.get(KEY.inode);
}

/** `inode_dio_wait` returns. */
export function onWaitReturn(r: Recording): void {
  const inode = r.ctx.waitsFor;
  const count = r.counts.get(inode);
  r.exercise(R.truncateWaits);
  if (count === undefined || count.value === 0) return;
  r.lack(
    R.truncateWaits,
    CODE.dio_inode_dio_end,
    `i_dio_count to be 0, it is ${count.value}`,
    count.line,
  );
}
