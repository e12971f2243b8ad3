/**
 * Engine `psync`: what one of its threads does.
 *
 * A thread is a Deno worker. Its code is the text of the functions below,
 * handed over in a `data:` URL, because a worker that is loaded from a file
 * needs `--allow-read` for it. So they can use each other and nothing else of
 * this module; what they need to know is in a message.
 *
 * @module
 */

/** What a thread is told. */
export interface PsyncSetup {
  /** The C library to load. */
  readonly libcPath: string;
  /** The descriptor that requests are for. */
  readonly fd: number;
  /** The numbers of the system calls, by operation. */
  readonly syscalls: { readonly read: bigint; readonly write: bigint };
  /** The words that all threads share; see {@linkcode PsyncLayout}. */
  readonly shared: SharedArrayBuffer;
  /** Where things lie in it. */
  readonly layout: PsyncLayout;
}

/** Indices of words that the threads share. */
export interface PsyncLayout {
  /** How many threads are ready. */
  readonly started: number;
  /** Not 0 when the threads are to end. */
  readonly stop: number;
  /** How many requests were submitted. */
  readonly submitted: number;
  /** How many of them a thread has taken. */
  readonly taken: number;
  /** How many places for a completion were given away. */
  readonly reserved: number;
  /** How many requests were completed. */
  readonly completed: number;
  /** The eventfd that counts completions, or -1. */
  readonly eventFd: number;
  /** Slots that were submitted, in order: a ring. */
  readonly submissions: number;
  /** Slots that were completed, plus 1; 0 where none is: a ring. */
  readonly completions: number;
  /** The size of the rings less 1, which is a power of two less 1. */
  readonly mask: number;
  /** The first slot. */
  readonly slots: number;
  /** Words of a slot. */
  readonly slotWords: number;
  /** In a slot: 0 reads, 1 writes, 2 is `fdatasync()`. */
  readonly op: number;
  /** In a slot: the flags of `preadv2()`. */
  readonly flags: number;
  /** In a slot: where in the file, in 64 bits. */
  readonly offset: number;
  /** In a slot: where the vector lies, in 64 bits. */
  readonly vector: number;
  /** In a slot: how many segments it has. */
  readonly count: number;
  /** In a slot: bytes transferred, or a negative errno. */
  readonly result: number;
}

/** The library of a thread; errno belongs to the thread, too. */
function openLibrary(path: string) {
  return Deno.dlopen(path, {
    transfer: {
      name: "syscall",
      parameters: ["i64", "i32", "u64", "u64", "u64", "u64", "i32"],
      result: "i64",
    },
    fdatasync: { parameters: ["i32"], result: "i32" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    errnoLocation: {
      name: "__errno_location",
      parameters: [],
      result: "pointer",
    },
    copyFrom: {
      name: "memcpy",
      parameters: ["buffer", "pointer", "usize"],
      result: "void",
    },
  });
}

type Symbols = ReturnType<typeof openLibrary>["symbols"];

/**
 * Takes a request that nobody has taken yet.
 *
 * @param words The words that all threads share.
 * @param layout Where things lie in them.
 * @returns Its slot; -1 when the end has come.
 */
export function takeSlot(words: Int32Array, layout: PsyncLayout): number {
  while (Atomics.load(words, layout.stop) === 0) {
    const taken = Atomics.load(words, layout.taken);
    const submitted = Atomics.load(words, layout.submitted);
    if (taken === submitted) {
      Atomics.wait(words, layout.submitted, submitted);
      continue;
    }
    // Before it is taken: then its place may be used again at once.
    const slot = Atomics.load(
      words,
      layout.submissions + (taken & layout.mask),
    );
    const next = (taken + 1) | 0;
    const found = Atomics.compareExchange(words, layout.taken, taken, next);
    if (found === taken) return slot;
  }
  return -1;
}

/** Carries out the request of a slot: bytes, or a negative errno. */
function execute(
  libc: Symbols,
  words: Int32Array,
  base: number,
  { fd, syscalls, layout }: PsyncSetup,
): number {
  const word = (at: number): number => Atomics.load(words, base + at);
  const wide = (at: number): bigint =>
    BigInt(word(at) >>> 0) + (BigInt(word(at + 1)) << 32n);
  const op = word(layout.op);
  const EINTR = 4;
  const errno = new Int32Array(new ArrayBuffer(4));
  for (;;) {
    const result = op === 2 ? libc.fdatasync(fd) : Number(libc.transfer(
      op === 0 ? syscalls.read : syscalls.write,
      fd,
      wide(layout.vector),
      BigInt(word(layout.count)),
      wide(layout.offset),
      0n,
      word(layout.flags),
    ));
    if (result !== -1) return result;
    libc.copyFrom(errno, libc.errnoLocation(), 4n);
    if (errno[0] !== EINTR) return -(errno[0] as number);
  }
}

/** Tells everybody that the request of a slot is completed. */
function complete(
  libc: Symbols,
  words: Int32Array,
  slot: number,
  layout: PsyncLayout,
): void {
  const place = Atomics.add(words, layout.reserved, 1) & layout.mask;
  Atomics.store(words, layout.completions + place, slot + 1);
  Atomics.add(words, layout.completed, 1);
  Atomics.notify(words, layout.completed);
  const eventFd = Atomics.load(words, layout.eventFd);
  const one = new BigUint64Array(new ArrayBuffer(8)).fill(1n);
  if (eventFd >= 0) libc.write(eventFd, one, 8n);
}

/** Carries out requests until the end has come. */
function serve(setup: PsyncSetup): void {
  const { layout } = setup;
  const words = new Int32Array(setup.shared);
  const library = openLibrary(setup.libcPath);
  Atomics.add(words, layout.started, 1);
  Atomics.notify(words, layout.started);
  for (;;) {
    const slot = takeSlot(words, layout);
    if (slot < 0) break;
    const base = layout.slots + slot * layout.slotWords;
    const result = execute(library.symbols, words, base, setup);
    Atomics.store(words, base + layout.result, result);
    complete(library.symbols, words, slot, layout);
  }
  library.close();
}

/** Waits to be told what to do. */
function begin(): void {
  addEventListener("message", (event) => {
    serve((event as MessageEvent<PsyncSetup>).data);
    close();
  });
}

/** The code of a thread. */
export const PSYNC_WORKER_CODE: string =
  [openLibrary, takeSlot, execute, complete, serve, begin].join("\n") +
  "\nbegin();\n";
