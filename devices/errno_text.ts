/**
 * The names and meanings of the Linux errnos that a file or a block device can
 * give, for messages at the public edge.
 *
 * The numbers are those of `include/uapi/asm-generic/errno-base.h` and
 * `errno.h`, which x86-64 and arm64 share.
 *
 * @module
 */

/** What is known about one errno. */
export interface ErrnoText {
  /** The symbolic name, for example `"EINVAL"`. */
  readonly name: string;
  /** What it means, in lower case and without a period. */
  readonly text: string;
}

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const ENOTBLK = 15;
export const EBUSY = 16;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENOSYS = 38;

/** Every errno that endio knows by name, from its positive number. */
export const ERRNO_TEXT: ReadonlyMap<number, ErrnoText> = new Map(
  ([
    [1, "EPERM", "operation not permitted"],
    [2, "ENOENT", "no such file or directory"],
    [4, "EINTR", "interrupted by a signal"],
    [5, "EIO", "input/output error"],
    [6, "ENXIO", "no such device or address"],
    [7, "E2BIG", "argument list too long"],
    [9, "EBADF", "bad file descriptor, or not open for this operation"],
    [11, "EAGAIN", "resource temporarily unavailable"],
    [12, "ENOMEM", "cannot allocate memory"],
    [13, "EACCES", "permission denied"],
    [14, "EFAULT", "bad address"],
    [15, "ENOTBLK", "block device required"],
    [16, "EBUSY", "device or resource busy"],
    [17, "EEXIST", "file exists"],
    [18, "EXDEV", "invalid cross-device link"],
    [19, "ENODEV", "no such device"],
    [20, "ENOTDIR", "not a directory"],
    [21, "EISDIR", "is a directory"],
    [22, "EINVAL", "invalid argument"],
    [23, "ENFILE", "too many open files in the system"],
    [24, "EMFILE", "too many open files in the process"],
    [25, "ENOTTY", "inappropriate ioctl for device"],
    [26, "ETXTBSY", "text file busy"],
    [27, "EFBIG", "file too large"],
    [28, "ENOSPC", "no space left on device"],
    [29, "ESPIPE", "illegal seek"],
    [30, "EROFS", "read-only file system"],
    [32, "EPIPE", "broken pipe"],
    [34, "ERANGE", "numerical result out of range"],
    [35, "EDEADLK", "resource deadlock avoided"],
    [36, "ENAMETOOLONG", "file name too long"],
    [38, "ENOSYS", "function not implemented"],
    [40, "ELOOP", "too many levels of symbolic links"],
    [52, "EBADE", "invalid exchange (reservation conflict)"],
    [61, "ENODATA", "no data available (unreadable medium)"],
    [62, "ETIME", "timer expired"],
    [67, "ENOLINK", "link has been severed (transport failure)"],
    [71, "EPROTO", "protocol error"],
    [74, "EBADMSG", "bad message (metadata checksum failed)"],
    [75, "EOVERFLOW", "value too large for defined data type"],
    [84, "EILSEQ", "invalid sequence (protection information failed)"],
    [87, "EUSERS", "too many users (zone resource exceeded)"],
    [90, "EMSGSIZE", "message too long"],
    [95, "EOPNOTSUPP", "operation not supported"],
    [107, "ENOTCONN", "transport endpoint is not connected"],
    [110, "ETIMEDOUT", "operation timed out"],
    [112, "EHOSTDOWN", "host is down"],
    [116, "ESTALE", "stale file handle"],
    [117, "EUCLEAN", "structure needs cleaning (filesystem corrupted)"],
    [121, "EREMOTEIO", "remote I/O error (target failure)"],
    [122, "EDQUOT", "disk quota exceeded"],
    [123, "ENOMEDIUM", "no medium found"],
    [124, "EMEDIUMTYPE", "wrong medium type"],
    [125, "ECANCELED", "operation canceled"],
    [126, "ENOKEY", "required encryption key not available"],
    [131, "ENOTRECOVERABLE", "state not recoverable"],
    [133, "EHWPOISON", "memory page has a hardware error"],
    [529, "EIOCBQUEUED", "request queued, completion comes later"],
  ] as const).map(([errno, name, text]) => [errno, { name, text }]),
);

/**
 * Names an errno.
 *
 * @param errno The number, positive or negative.
 * @returns Its name and meaning; for an unknown number the name is `"E"` and
 * the number, so that nothing is hidden.
 */
export function describeErrno(errno: number): ErrnoText {
  const number = Math.abs(errno);
  return ERRNO_TEXT.get(number) ??
    { name: `E${number}`, text: `error number ${number}` };
}
