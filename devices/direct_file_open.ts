/**
 * Opens a regular file or block device for direct I/O and finds out its size
 * and what alignment it asks for.
 *
 * @module
 */

import { type AlignedMemory, PAGE_SIZE_BYTES } from "./aligned_memory.ts";
import { DeviceOpenError } from "./device_error.ts";
import {
  describeErrno,
  EACCES,
  EBUSY,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTBLK,
  EPERM,
} from "./errno_text.ts";
import type { Libc } from "./libc.ts";

// include/uapi/asm-generic/fcntl.h; these do not differ between x86-64 and
// arm64, unlike O_DIRECT.
const O_RDONLY = 0;
const O_RDWR = 0o2;
const O_EXCL = 0o200;
const O_APPEND = 0o2000;
const O_DSYNC = 0o10000;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const SEEK_END = 2;
const BLKSSZGET = 0x1268n;

// include/uapi/linux/stat.h: struct statx.
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const STATX_DIOALIGN = 0x2000;
const STX_MASK = 0;
const STX_MODE = 28;
const STX_DIO_MEM_ALIGN = 152;
const STX_DIO_OFFSET_ALIGN = 156;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;

/** How a file is to be opened. */
export interface OpenOptions {
  /** Opens for reading only. @default {false} */
  readonly readOnly?: boolean;
  /** Opens with `O_DSYNC`, so that each write is durable. @default {false} */
  readonly dsync?: boolean;
  /** Opens with `O_APPEND`: writes go to the end. @default {false} */
  readonly append?: boolean;
}

/** Who told the alignment that direct I/O needs. */
export type AlignmentSource = "statx" | "ioctl" | "probe";

/** What direct I/O on a file must respect. */
export interface DirectFileGeometry {
  /** The size of the file or device in bytes. */
  readonly sizeBytes: number;
  /** What offsets and lengths must be multiples of, in bytes. */
  readonly logicalBlockSize: number;
  /** What addresses of memory must be multiples of, in bytes. */
  readonly memoryAlignment: number;
  /**
   * Who told the alignment: `statx()`, the ioctl `BLKSSZGET`, or reads that
   * were tried. A filesystem that says nothing in `statx()` may well serve
   * `O_DIRECT` from the page cache, as tmpfs does.
   */
  readonly alignmentSource: AlignmentSource;
}

/** An open file and its geometry. */
export interface OpenFile {
  /** The descriptor, which the caller closes. */
  readonly fd: number;
  /** What was found out about the file. */
  readonly geometry: DirectFileGeometry;
}

/**
 * Opens `path` with `O_DIRECT`.
 *
 * @param libc The library to call.
 * @param path The file or block device.
 * @param options How to open it.
 * @param scratch At least one page, to read into.
 * @throws {DeviceOpenError} If the file cannot be used for direct I/O.
 */
export function openDirectFile(
  libc: Libc,
  path: string,
  options: OpenOptions,
  scratch: AlignedMemory,
): OpenFile {
  if (path.includes("\0")) {
    fail(path.replaceAll("\0", "\\0"), EINVAL, "the path contains a NUL");
  }
  const isBlockDevice = checkFileType(libc, path);
  const fd = libc.open(path, openFlags(libc, isBlockDevice, options));
  if (fd < 0) fail(path, -fd, openHint(-fd, options));
  try {
    const geometry = findGeometry(libc, path, fd, isBlockDevice, scratch);
    return { fd, geometry };
  } catch (error) {
    libc.closeFd(fd);
    throw error;
  }
}

function openFlags(
  libc: Libc,
  isBlockDevice: boolean,
  options: OpenOptions,
): number {
  let flags = O_CLOEXEC | libc.O_DIRECT;
  flags |= options.readOnly ? O_RDONLY : O_RDWR;
  if (options.dsync) flags |= O_DSYNC;
  if (options.append) flags |= O_APPEND;
  // On a block device O_EXCL makes the open fail when a filesystem is mounted
  // from it: a test must never write to a disk that is in use.
  if (isBlockDevice && !options.readOnly) flags |= O_EXCL;
  return flags;
}

/** Looks before opening, because opening a FIFO would block. */
function checkFileType(libc: Libc, path: string): boolean {
  const stat = new DataView(new ArrayBuffer(STATX_BYTES));
  const bytes = new Uint8Array(stat.buffer);
  const result = libc.statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, bytes);
  if (result < 0) fail(path, -result, openHint(-result, {}));
  const type = stat.getUint16(STX_MODE, true) & S_IFMT;
  if (type === S_IFBLK) return true;
  if (type === S_IFREG) return false;
  if (type === S_IFDIR) {
    fail(path, EISDIR, "it is a directory; name a file or a block device");
  }
  return fail(
    path,
    ENOTBLK,
    "it is neither a regular file nor a block device; name one of these",
  );
}

function findGeometry(
  libc: Libc,
  path: string,
  fd: number,
  isBlockDevice: boolean,
  scratch: AlignedMemory,
): DirectFileGeometry {
  const sizeBytes = libc.lseek(fd, 0, SEEK_END);
  if (sizeBytes < 0) fail(path, -sizeBytes, describeErrno(sizeBytes).text);
  if (sizeBytes === 0 && isBlockDevice) {
    fail(path, EINVAL, "it has no medium; attach one, or name another device");
  }
  const alignment = statxAlignment(libc, path, fd) ??
    (isBlockDevice ? ioctlAlignment(libc, path, fd) : undefined) ??
    probeAlignment(libc, path, fd, scratch);
  return { sizeBytes, ...alignment };
}

/**
 * Checks that a file can be a block device: whole logical blocks, at least
 * one.
 *
 * @param path The file, which messages name.
 * @param geometry What was found out about it.
 * @throws {DeviceOpenError} If it cannot.
 */
export function checkWholeBlocks(
  path: string,
  { sizeBytes, logicalBlockSize }: DirectFileGeometry,
): void {
  if (sizeBytes === 0) {
    fail(
      path,
      EINVAL,
      'it is empty; give it a size with "truncate -s 64M"',
    );
  }
  if (sizeBytes % logicalBlockSize === 0) return;
  fail(
    path,
    EINVAL,
    `its size of ${sizeBytes} bytes is not a multiple of the logical ` +
      `block size of ${logicalBlockSize} bytes; resize it with ` +
      `"truncate -s %${logicalBlockSize}"`,
  );
}

type Alignment = Omit<DirectFileGeometry, "sizeBytes">;

/** `STATX_DIOALIGN`, which came with Linux 6.1. */
function statxAlignment(
  libc: Libc,
  path: string,
  fd: number,
): Alignment | undefined {
  const stat = new DataView(new ArrayBuffer(STATX_BYTES));
  const bytes = new Uint8Array(stat.buffer);
  const result = libc.statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, bytes);
  const mask = stat.getUint32(STX_MASK, true);
  if (result < 0 || (mask & STATX_DIOALIGN) === 0) return undefined;
  const logicalBlockSize = stat.getUint32(STX_DIO_OFFSET_ALIGN, true);
  const memoryAlignment = stat.getUint32(STX_DIO_MEM_ALIGN, true);
  if (logicalBlockSize === 0 || memoryAlignment === 0) {
    fail(
      path,
      EINVAL,
      "the filesystem gives no direct I/O on this file (encrypted, verity " +
        "or journalled data?); use an ordinary file on ext4 or XFS",
    );
  }
  return { logicalBlockSize, memoryAlignment, alignmentSource: "statx" };
}

function ioctlAlignment(libc: Libc, path: string, fd: number): Alignment {
  const size = new DataView(new ArrayBuffer(4));
  const result = libc.ioctl(fd, BLKSSZGET, new Uint8Array(size.buffer));
  if (result < 0) fail(path, -result, describeErrno(result).text);
  const logicalBlockSize = size.getUint32(0, true);
  const memoryAlignment = logicalBlockSize;
  return { logicalBlockSize, memoryAlignment, alignmentSource: "ioctl" };
}

function probeAlignment(
  libc: Libc,
  path: string,
  fd: number,
  scratch: AlignedMemory,
): Alignment {
  let result = 0;
  for (const logicalBlockSize of [512, PAGE_SIZE_BYTES]) {
    result = libc.pread(fd, scratch.bytes.subarray(0, logicalBlockSize), 0);
    if (result >= 0) {
      const memoryAlignment = logicalBlockSize;
      return { logicalBlockSize, memoryAlignment, alignmentSource: "probe" };
    }
    if (result !== -EINVAL) break;
  }
  const { text } = describeErrno(result);
  return fail(path, -result, `a first direct read failed: ${text}`);
}

function openHint(errno: number, options: OpenOptions): string {
  switch (errno) {
    case ENOENT:
      return "no such file; create it first, for example with " +
        '"truncate -s 64M"';
    case EACCES:
      return options.readOnly
        ? "permission denied; run as a user that may read it"
        : "permission denied; run as a user that may read and write it, " +
          "or open it read-only";
    case EPERM:
      return "operation not permitted; a sandbox or an immutable file " +
        "attribute forbids it";
    case EBUSY:
      return "the block device is in use, perhaps mounted; name an unused " +
        "one or open it read-only";
    case EINVAL:
      return "the filesystem has no O_DIRECT (as tmpfs before Linux 6.6 and " +
        "some FUSE and overlay filesystems); use a directory on ext4 or XFS";
    default:
      return describeErrno(errno).text;
  }
}

function fail(path: string, errno: number, reason: string): never {
  throw new DeviceOpenError(`Cannot open ${path}: ${reason}`, errno);
}
