/**
 * Sets up an `io_uring`, and says what to do when the kernel gives none.
 *
 * Since Linux 6.5 the rings may lie in memory of the process
 * (`IORING_SETUP_NO_MMAP`): ours is a typed array, so no pointer is followed
 * and a scoped `--allow-ffi=PATH` is enough. Before that the kernel's own
 * memory has to be mapped, which needs an `--allow-ffi` without a path.
 *
 * @module
 */

import { AlignedMemory, PAGE_SIZE_BYTES } from "./aligned_memory.ts";
import type { EngineRefusal } from "./engine.ts";
import { describeErrno, EINVAL, ENOMEM, ENOSYS, EPERM } from "./errno_text.ts";
import { IoUringRing } from "./io_uring_ring.ts";
import { type Libc, type Mapping, MAX_QUEUE_DEPTH } from "./libc.ts";

const IORING_SETUP_CQSIZE = 1 << 3;
const IORING_SETUP_SUBMIT_ALL = 1 << 7;
const IORING_SETUP_SINGLE_ISSUER = 1 << 12;
const IORING_SETUP_DEFER_TASKRUN = 1 << 13;
const IORING_SETUP_NO_MMAP = 1 << 14;
const IORING_SETUP_NO_SQARRAY = 1 << 16;

const FLAGS_LINUX_6_1 = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
const FLAGS_LINUX_6_5 = FLAGS_LINUX_6_1 | IORING_SETUP_NO_MMAP;
const FLAGS_LINUX_6_6 = FLAGS_LINUX_6_5 | IORING_SETUP_NO_SQARRAY;
/** `IORING_OP_READ` came with 5.6; what the ring can do did not change. */
const FLAGS_LINUX_5_6 = IORING_SETUP_CQSIZE;

const OWN_MEMORY = [FLAGS_LINUX_6_6, FLAGS_LINUX_6_5] as const;
const MAPPED_MEMORY = [FLAGS_LINUX_6_1, FLAGS_LINUX_5_6] as const;

/** One mapping holds both rings: Linux 5.4 and later. */
const IORING_FEAT_SINGLE_MMAP = 1 << 0;
/** Completions are never lost: Linux 5.5 and later. */
const IORING_FEAT_NODROP = 1 << 1;
/** Offset -1 is the file's position: Linux 5.6 and later. */
const IORING_FEAT_RW_CUR_POS = 1 << 3;
const NEEDED_FEATURES = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
  IORING_FEAT_RW_CUR_POS;
const IORING_OFF_SQ_RING = 0;
const IORING_OFF_SQES = 0x10000000;

// struct io_uring_params, in bytes.
const PARAMS_BYTES = 120;
const SQ_ENTRIES = 0;
const CQ_ENTRIES = 4;
const FLAGS = 8;
const FEATURES = 20;
const SQ_OFF_TAIL = 44;
const SQ_OFF_ARRAY = 64;
const SQ_OFF_USER_ADDR = 72;
const CQ_OFF_HEAD = 80;
const CQ_OFF_TAIL = 84;
const CQ_OFF_CQES = 100;
const CQ_OFF_USER_ADDR = 112;

const SQE_BYTES = 64;
const CQE_BYTES = 16;
const WORD_BYTES = 4;
/** The largest page of arm64; the kernel takes whole pages of its own size. */
const MAX_PAGE_BYTES = 65536;
/** Room for the completions of the deepest queue, and what is before them. */
const MAX_RING_BYTES = MAX_QUEUE_DEPTH * CQE_BYTES + MAX_PAGE_BYTES;
/**
 * One page of entries. Linux before 6.10 takes a ring of ours only when its
 * parts lie in one page each; submitting often is no loss.
 */
const MAX_SQ_ENTRIES = PAGE_SIZE_BYTES / SQE_BYTES;

/** A ring, and what has to be given back with it. */
export interface IoUring {
  /** Its descriptor. */
  readonly fd: number;
  /** Its queues. */
  readonly ring: IoUringRing;
  /** The memory of ours that it lies in, or null. */
  readonly memory: AlignedMemory | null;
  /** What is mapped, and must be unmapped when nobody looks at it. */
  readonly mappings: readonly Mapping[];
}

/** The memory becomes zeros, in pages that nobody else has pinned. */
const MADV_DONTNEED = 4;

/** Memory of rings that the system did not let go of. */
const ABANDONED: AlignedMemory[] = [];

/**
 * Closes a ring that is idle. The kernel takes it apart some time after that,
 * and writes its indices once more: until then the pages of the ring must be
 * nobody else's. So the kernel keeps them, and we get others.
 *
 * @param libc The library to call.
 * @param uring The ring.
 */
export function closeIoUring(libc: Libc, uring: IoUring): void {
  const { fd, memory, mappings } = uring;
  if (memory !== null) {
    const { address, bytes: { length } } = memory;
    if (libc.madvise(address, length, MADV_DONTNEED) < 0) {
      ABANDONED.push(memory);
    }
  }
  libc.closeFd(fd);
  for (const mapping of mappings) libc.unmap(mapping);
}

/**
 * Sets up a ring.
 *
 * @param libc The library to call.
 * @param depth How many requests it must hold.
 * @returns The ring, or why there is none.
 */
export function setUpIoUring(
  libc: Libc,
  depth: number,
): IoUring | EngineRefusal {
  let errno = EINVAL;
  for (const flags of OWN_MEMORY) {
    const ring = setUpOwnMemory(libc, depth, flags);
    if (typeof ring !== "number") return ring;
    errno = -ring;
    if (errno !== EINVAL) return ioUringRefusal(errno);
  }
  // Without the permission, nothing must be asked of the kernel that cannot
  // be reached afterwards.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted") return ioUringRefusal(EINVAL);
  for (const flags of MAPPED_MEMORY) {
    const ring = setUpMappedMemory(libc, depth, flags);
    if (typeof ring !== "number") return ring;
    errno = -ring;
    if (errno !== EINVAL) break;
  }
  return ioUringRefusal(errno);
}

/** Why there is no ring, for an errno of `io_uring_setup()`. */
export function ioUringRefusal(errno: number): EngineRefusal {
  switch (errno) {
    case EINVAL:
      return {
        errno,
        reason: "this kernel has no ring in memory of the process " +
          "(Linux 6.5; 6.10 for more than 128 requests); update it, or add " +
          "--allow-ffi without a path",
      };
    case EPERM:
      return {
        errno,
        reason: "the system forbids io_uring; set kernel.io_uring_disabled " +
          "to 0 with sysctl, or allow io_uring_setup in the seccomp profile",
      };
    case ENOSYS:
      return {
        errno,
        reason: "this kernel or sandbox has no io_uring; use Linux 5.6 or " +
          "later with CONFIG_IO_URING",
      };
    case ENOMEM:
      return {
        errno,
        reason: 'no memory for its rings; raise the limit of "ulimit -l", ' +
          "or lower the queue depth",
      };
    default: {
      const { text } = describeErrno(errno);
      return { errno, reason: `io_uring_setup failed: ${text}` };
    }
  }
}

/** Sets up a ring in memory of ours; or a negative errno. */
function setUpOwnMemory(
  libc: Libc,
  depth: number,
  flags: number,
): IoUring | number {
  const params = newParams(depth, flags);
  const memory = new AlignedMemory(libc, 2 * MAX_RING_BYTES, MAX_PAGE_BYTES);
  const { bytes, address } = memory;
  const sqesAt = MAX_RING_BYTES;
  params.setBigUint64(CQ_OFF_USER_ADDR, BigInt(address), true);
  params.setBigUint64(SQ_OFF_USER_ADDR, BigInt(address + sqesAt), true);
  const fd = setUp(libc, depth, params);
  if (fd < 0) return fd;
  const words = wordsOf(bytes.subarray(0, sqesAt));
  const sqes = wordsOf(bytes.subarray(sqesAt));
  const ring = ringOf(params, words, sqes);
  return { fd, ring, memory, mappings: [] };
}

/** Sets up a ring in memory of the kernel's; or a negative errno. */
function setUpMappedMemory(
  libc: Libc,
  depth: number,
  flags: number,
): IoUring | number {
  const params = newParams(depth, flags);
  const fd = setUp(libc, depth, params);
  if (fd < 0) return fd;
  const rings = libc.map(fd, ringBytes(params), IORING_OFF_SQ_RING);
  const sqes = typeof rings === "number"
    ? rings
    : libc.map(fd, sqEntries(depth) * SQE_BYTES, IORING_OFF_SQES);
  if (typeof rings === "number" || typeof sqes === "number") {
    if (typeof rings !== "number") libc.unmap(rings);
    libc.closeFd(fd);
    return sqes as number;
  }
  const words = new Int32Array(rings.buffer);
  const ring = ringOf(params, words, new Int32Array(sqes.buffer));
  return { fd, ring, memory: null, mappings: [rings, sqes] };
}

/** `io_uring_setup()`, which must give what is needed here. */
function setUp(libc: Libc, depth: number, params: DataView): number {
  const bytes = new Uint8Array(params.buffer as ArrayBuffer);
  const fd = libc.ioUringSetup(sqEntries(depth), bytes);
  if (fd < 0) return fd;
  const features = params.getUint32(FEATURES, true);
  if ((features & NEEDED_FEATURES) === NEEDED_FEATURES) return fd;
  libc.closeFd(fd);
  return -ENOSYS;
}

function newParams(depth: number, flags: number): DataView {
  const params = new DataView(new ArrayBuffer(PARAMS_BYTES));
  params.setUint32(CQ_ENTRIES, powerOfTwo(depth), true);
  params.setUint32(FLAGS, flags, true);
  return params;
}

function ringOf(
  params: DataView,
  words: Int32Array<ArrayBuffer>,
  sqes: Int32Array<ArrayBuffer>,
): IoUringRing {
  const wordAt = (field: number): number =>
    params.getUint32(field, true) / WORD_BYTES;
  const flags = params.getUint32(FLAGS, true);
  const hasArray = (flags & IORING_SETUP_NO_SQARRAY) === 0;
  const offsets = {
    sqTail: wordAt(SQ_OFF_TAIL),
    sqArray: hasArray ? wordAt(SQ_OFF_ARRAY) : -1,
    cqHead: wordAt(CQ_OFF_HEAD),
    cqTail: wordAt(CQ_OFF_TAIL),
    cqes: wordAt(CQ_OFF_CQES),
    sqEntries: params.getUint32(SQ_ENTRIES, true),
    cqEntries: params.getUint32(CQ_ENTRIES, true),
  };
  return new IoUringRing(words, sqes, offsets);
}

function sqEntries(depth: number): number {
  return Math.min(powerOfTwo(depth), MAX_SQ_ENTRIES);
}

/** How much both rings take. */
function ringBytes(params: DataView): number {
  const of = (field: number): number => params.getUint32(field, true);
  return Math.max(
    of(CQ_OFF_CQES) + of(CQ_ENTRIES) * CQE_BYTES,
    of(SQ_OFF_ARRAY) + of(SQ_ENTRIES) * WORD_BYTES,
  );
}

/** The least power of two that is no less. */
function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}
