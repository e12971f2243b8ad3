/**
 * Error numbers as the kernel uses them inside: results are a count of zero or
 * more, or one of these negated (`-EIO`).
 *
 * Source: include/uapi/asm-generic/errno-base.h, errno.h and
 * include/linux/errno.h.
 *
 * @module
 */

/** Operation not permitted. */
export const EPERM: number = 1;
/** Interrupted by a signal. */
export const EINTR: number = 4;
/** The device failed to transfer the data. */
export const EIO: number = 5;
/** The operation would block, try again. */
export const EAGAIN: number = 11;
/** An allocation failed. */
export const ENOMEM: number = 12;
/** A user address is not mapped. */
export const EFAULT: number = 14;
/** "Not a block": the core's way to say that a write met a hole. */
export const ENOTBLK: number = 15;
/** The object is in use. */
export const EBUSY: number = 16;
/** An argument, alignment for instance, is wrong. */
export const EINVAL: number = 22;
/** No space left on the device. */
export const ENOSPC: number = 28;
/** The filesystem is read-only. */
export const EROFS: number = 30;
/** The operation is not supported. */
export const EOPNOTSUPP: number = 95;
/** Restart codes: a signal came, and the system call is to begin again. */
export const ERESTARTSYS: number = 512;
/** As {@linkcode ERESTARTSYS}, whatever the signal's handler says. */
export const ERESTARTNOINTR: number = 513;
/** As {@linkcode ERESTARTSYS}, only if the signal has no handler. */
export const ERESTARTNOHAND: number = 514;
/** As {@linkcode ERESTARTSYS}, by another system call. */
export const ERESTART_RESTARTBLOCK: number = 516;
/**
 * The queued code: the request was taken over and its completion callback
 * will come. Never an error, never seen by user space.
 */
export const EIOCBQUEUED: number = 529;

const NAMES: ReadonlyMap<number, string> = new Map([
  [EPERM, "EPERM"],
  [EINTR, "EINTR"],
  [EIO, "EIO"],
  [EAGAIN, "EAGAIN"],
  [ENOMEM, "ENOMEM"],
  [EFAULT, "EFAULT"],
  [ENOTBLK, "ENOTBLK"],
  [EBUSY, "EBUSY"],
  [EINVAL, "EINVAL"],
  [ENOSPC, "ENOSPC"],
  [EROFS, "EROFS"],
  [EOPNOTSUPP, "EOPNOTSUPP"],
  [ERESTARTSYS, "ERESTARTSYS"],
  [ERESTARTNOINTR, "ERESTARTNOINTR"],
  [ERESTARTNOHAND, "ERESTARTNOHAND"],
  [ERESTART_RESTARTBLOCK, "ERESTART_RESTARTBLOCK"],
  [EIOCBQUEUED, "EIOCBQUEUED"],
]);

/**
 * The name of a result, for messages: `-EIO` for -5, the number itself for a
 * count or for an error that endio has no name for.
 *
 * @param result A count (zero or more) or a negative errno.
 * @returns `"-EIO"`, `"-EIOCBQUEUED"`, `"4096"`.
 *
 * @example
 * ```ts
 * import { errnoName } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errnoName(-5), "-EIO");
 * assertEquals(errnoName(4096), "4096");
 * ```
 */
export function errnoName(result: number): string {
  const name = result < 0 ? NAMES.get(-result) : undefined;
  return name === undefined ? String(result) : `-${name}`;
}
