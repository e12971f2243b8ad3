/**
 * What a recording is about: requests, bios, work items, and the contexts
 * that run them. Lines are counted from 1; 0 is one that has not come.
 *
 * @module
 */

/** Which code carries a request. */
export const PATH = {
  /** fs/direct-io.c */
  dio: 0,
  /** fs/iomap/direct-io.c */
  iomap: 1,
  /** block/fops.c */
  blkdev: 2,
} as const;

/** Deepest nest of calls that is kept. */
const MAX_DEPTH = 64;

/** An iocb, of a system call that waits for it or of io_submit. */
export class Iocb {
  /** Identity in the recording. */
  readonly id: number;
  /** Where its begins. */
  readonly line: number;
  /** Whether a system call waits for it. */
  readonly isSync: boolean;
  /** Its address, NaN as long as no line has told. */
  addr: number = NaN;
  isWrite = false;
  /** Whether a line has told that, or that it is a read. */
  knowsRw = false;
  offset = 0;
  bytes = 0;
  /** Its place among those that the same system call submits. */
  index = -1;
  /** `aio_complete_rw`, and `aio_complete`. */
  reported = 0;
  ring = 0;
  res: number = NaN;
  /** Whether a direct I/O of it was left to its bios. */
  queued = false;
  /** What its direct I/O returned to the filesystem; NaN as long as none has. */
  returned: number = NaN;
  returnedLine = 0;
  /** Whether the page cache took over what was left. */
  buffered = false;
  /** `io_submit_one` has returned. */
  submitted = 0;
  /** What user space was told, and as which of its batch. */
  told: number = NaN;
  order = -1;
  /** Whether somebody else than fs/aio.c reports it. */
  isForeign = false;
  /** Its newest direct I/O. */
  dio: Dio | null = null;

  /** One that begins at a line. */
  constructor(id: number, line: number, isSync: boolean) {
    this.id = id;
    this.line = line;
    this.isSync = isSync;
  }
}

/** A direct I/O: struct dio, struct iomap_dio, or a request of block/fops.c. */
export class Dio {
  readonly id: number;
  readonly path: number;
  readonly line: number;
  readonly iocb: Iocb;
  /** Seen from its beginning on, so that it can be judged. */
  readonly isWhole: boolean;
  addr: number = NaN;
  /** Address of the iocb it was given: that of a filesystem below another. */
  kiocb: number = NaN;
  /** Name of the function that submits it. */
  fn = 0;
  /** The task that submits it. */
  pid = 0;
  ino: number = NaN;
  isWrite = false;
  /** Whether a line has told that, or that it is a read. */
  knowsRw = false;
  isSync = false;
  dsync = false;
  /** A bio on the stack of who waits for it. */
  isSimple = false;
  /** Its bios do not tell how many are left. */
  isSilent = false;
  offset = 0;
  bytes = 0;
  iSize: number = NaN;
  /** Name of the filesystem's end_io; 0 for none, NaN as long as unknown. */
  endIo: number = NaN;
  /** Name of the operations that iomap calls, its end_io one of them. */
  ops: number = NaN;

  // Submission.
  begun = 0;
  emptied = 0;
  mapped = 0;
  bios = 0;
  inFlight = 0;
  lastBio = 0;
  mappedTo = 0;
  submittedBytes = 0;
  /** The reference that the submitter drops. */
  dropped = 0;
  deferBh = 0;
  deferDsync = 0;
  /** Name of the workqueue that its superblock made for it, or 0. */
  queueName = 0;
  /** References: one of the submitter, one of each bio. */
  readonly refs: Shared = new Shared(1);
  /** A line that tells of the reference of a bio that is still to come. */
  expectsBio = 0;

  // End of bios.
  bioError = 0;
  bioErrorLine = 0;
  ioError = 0;
  cachedPages = 0;
  /** The drop that leaves no reference. */
  lastDrop = 0;
  waitsForIt = false;
  deferred = 0;
  work = 0;
  woken = 0;

  // Completion.
  step = 0;
  stepLine = 0;
  /** The steps that were told to be missing, a bit each. */
  missed = 0;
  complete = 0;
  flags = 0;
  size = 0;
  error = 0;
  value: number = NaN;
  transferred = 0;
  endIoCalled = 0;
  endIoEntered = 0;
  endIoLeft = 0;
  endIoResult: number = NaN;
  endIoReturned = 0;
  invalidated = 0;
  done = 0;
  /** Whether the drop of the count took it to 0. */
  wasLast = false;
  wokenCount = 0;
  synced = 0;
  syncReturned = 0;
  calledBack = 0;
  reported = 0;
  freed = 0;
  completed = 0;

  /** One that begins at a line. */
  constructor(
    id: number,
    path: number,
    line: number,
    iocb: Iocb,
    isWhole: boolean,
  ) {
    this.id = id;
    this.path = path;
    this.line = line;
    this.iocb = iocb;
    this.isWhole = isWhole;
    iocb.dio = this;
  }
}

/** A bio of a direct I/O. */
export class Bio {
  readonly id: number;
  readonly line: number;
  readonly dio: Dio;
  /** Its pages were dirtied before it was submitted. */
  dirtied = 0;
  /** Whether a line tells that it carries the request's data. */
  isSure = true;
  /** `submit_bio` was entered with it; a filesystem may submit another. */
  submitted = 0;
  /** Code of its end handler, 0 when it is not known. */
  handler = 0;
  size = 0;
  status = 0;
  /** `bio_endio`, when it does not tell whether that is the end. */
  announced = 0;
  ended = 0;
  handled = 0;
  /** Its reference was dropped. */
  dropped = 0;
  completed = 0;
  checked = 0;
  released = 0;

  /** One that is submitted at a line. */
  constructor(id: number, line: number, dio: Dio) {
    this.id = id;
    this.line = line;
    this.dio = dio;
  }
}

/** A number that several processors change: the newest line about it. */
export class Shared {
  value: number;
  line = 0;
  cpu = -1;
  ts = 0;

  /** One with a first value. */
  constructor(value: number) {
    this.value = value;
  }
}

/** A completion that was queued. */
export class Work {
  readonly id: number;
  readonly line: number;
  readonly dio: Dio | null;
  /** Names of its workqueue and function. */
  readonly queue: number;
  readonly fn: number;
  started = 0;
  entered = 0;

  /** One that is queued at a line. */
  constructor(
    id: number,
    line: number,
    dio: Dio | null,
    queue: number,
    fn: number,
  ) {
    this.id = id;
    this.line = line;
    this.dio = dio;
    this.queue = queue;
    this.fn = fn;
  }
}

/** What user space says that it does next. */
export interface Plan {
  /** Whether it writes. */
  readonly isWrite: boolean;
  /** Where, in bytes. */
  readonly offset: number;
  /** How much. */
  readonly bytes: number;
}

/** A task, or the interrupts of one kind on one processor. */
export class Context {
  /** Of {@linkcode LEVEL}. */
  readonly level: number;
  /** The functions that were entered: their names, and where. */
  readonly calls: Int32Array = new Int32Array(MAX_DEPTH);
  readonly callLines: Int32Array = new Int32Array(MAX_DEPTH);
  depth = 0;
  /** A call that the function tracer saw and whose kprobe is to follow. */
  announced = 0;
  announcedLine = 0;
  /** The io_submit_one that runs. */
  iocb: Iocb | null = null;
  /** The submission that runs. */
  submission: Dio | null = null;
  /** The completion that runs. */
  completion: Dio | null = null;
  /** The iomap_dio whose result is still to be reported. */
  reporting: Dio | null = null;
  /** The bio that has ended last. */
  bio: Bio | null = null;
  /** Events so far. */
  events = 0;
  /** The event at which a part of a bio that was split has ended. */
  chained = 0;
  chainedBy: number = NaN;
  /** The bio whose pages are being let go of. */
  pages: Bio | null = null;
  /** The work that runs. */
  work: Work | null = null;
  /** Cached pages were dropped for the request that comes. */
  emptied = 0;
  /** The bio that iomap has handed down last. */
  handedDown: number = NaN;
  /** The bio whose pages were dirtied last, and where. */
  dirtied: number = NaN;
  dirtiedLine = 0;
  /** What user space does next, and what it has submitted for it. */
  batch: Iocb[] = [];
  batchSync: Iocb | null = null;
  /** How many events of it user space has got. */
  told = 0;
  plan: Plan | null = null;
  /** The inode whose count is waited for. */
  waitsFor: number = NaN;

  /** One of a level. */
  constructor(level: number) {
    this.level = level;
  }

  /** Enters a function. */
  enter(fn: number, line: number): void {
    if (this.depth === MAX_DEPTH) {
      this.calls.copyWithin(0, 1);
      this.callLines.copyWithin(0, 1);
      this.depth--;
    }
    this.calls[this.depth] = fn;
    this.callLines[this.depth++] = line;
  }

  /** How deep a function is in the nest, from the innermost; -1 if nowhere. */
  find(fn: number): number {
    for (let at = this.depth - 1; at >= 0; at--) {
      if (this.calls[at] === fn) return at;
    }
    return -1;
  }

  /** Forgets what ran here. */
  clear(): void {
    this.depth = 0;
    this.announced = 0;
    this.iocb = null;
    this.submission = null;
    this.completion = null;
    this.reporting = null;
    this.bio = null;
    this.chained = 0;
    this.pages = null;
    this.work = null;
  }
}
