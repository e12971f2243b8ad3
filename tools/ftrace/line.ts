/**
 * One line of ftrace text, taken apart where it lies: no strings, no objects.
 *
 * Read are the kernel's own `trace` and `trace_pipe`, what `trace-cmd report`
 * prints, and what `perf script` prints of kprobes and tracepoints.
 *
 * @module
 */

/** What a line is. */
export const LINE = {
  /** Not ftrace text. */
  bad: 0,
  /** A comment or a header, or nothing at all. */
  note: 1,
  /** An event. */
  event: 2,
  /** A call that the function tracer saw. */
  call: 3,
  /** Events of a processor were lost here. */
  lost: 4,
} as const;

/** Which context column an event has. */
export const LEVEL = {
  task: 0,
  softirq: 1,
  hardirq: 2,
  /** Not known: a probe by breakpoint, or a format without the column. */
  unknown: 3,
} as const;

const SPACE = 0x20;
const HASH = 0x23;
const OPEN = 0x28;
const CLOSE = 0x29;
const DASH = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LESS = 0x3c;
const BRACKET = 0x5b;

const LOWER_D = 0x64;
const UPPER_D = 0x44;

/** The context that a character of the flags means. */
const LEVELS: Uint8Array = new Uint8Array(256).fill(LEVEL.unknown);
LEVELS[DOT] = LEVELS[ZERO] = LEVEL.task;
LEVELS["s".charCodeAt(0)] = LEVEL.softirq;
LEVELS["h".charCodeAt(0)] = LEVELS["H".charCodeAt(0)] = LEVEL.hardirq;

/** Lines that `trace-cmd report` begins with. */
const PREAMBLE = /^(?:cpus=\d+|version = \d+|CPU \d+ is empty|trace\.dat.*)$/;
const LOST =
  /^CPU:\s*(?<cpu>\d+) \[(?:LOST (?<lost>\d+) EVENTS|EVENTS DROPPED|(?<dropped>\d+) EVENTS DROPPED)\]$/;
const decoder = new TextDecoder();

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

/** The bytes that the name of an event may have. */
const WORD: Uint8Array = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  WORD[byte] = /[\w.]/.test(String.fromCharCode(byte)) ? 1 : 0;
}

function isWord(byte: number): boolean {
  return WORD[byte] === 1;
}

/** A line; the same object takes one after the other. */
export class FtraceLine {
  /** The buffer that it lies in. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the thread's name begins and ends. */
  commAt = 0;
  commEnd = 0;
  /** The thread; 0 is the idle one. */
  pid = 0;
  /** The processor. */
  cpu = 0;
  /** The context, of {@linkcode LEVEL}. */
  level = 0;
  /** Whether interrupts are off, as far as the line says. */
  irqsOff = false;
  /** Time in nanoseconds. */
  ts = 0;
  /** Where the event's name begins and ends. */
  nameAt = 0;
  nameEnd = 0;
  /** Where its arguments begin and end. */
  argsAt = 0;
  argsEnd = 0;
  /** Events that a `LOST` line tells of; 0 when it does not say how many. */
  lost = 0;

  /**
   * Takes a line apart.
   *
   * @param bytes The buffer.
   * @param from Where the line begins.
   * @param to Where it ends, without the line feed.
   * @returns What it is, of {@linkcode LINE}.
   */
  parse(bytes: Uint8Array, from: number, to: number): number {
    this.bytes = bytes;
    let at = from;
    while (at < to && bytes[at] === SPACE) at++;
    if (at === to || bytes[at] === HASH) return LINE.note;
    this.commAt = at;
    for (let i = at + 3; i < to; i++) {
      if (bytes[i] !== BRACKET || !isDigit(bytes[i + 1])) continue;
      if (this.#thread(at, i)) {
        const time = this.#place(i + 1, to);
        if (time > 0) return this.#event(time, to);
      }
    }
    return this.#other(at, to);
  }

  /** Reads the thread backwards from before the processor. */
  #thread(from: number, to: number): boolean {
    const { bytes } = this;
    let at = this.#skipBack(from, to);
    // The thread group, when the option record-tgid is on.
    if (bytes[at - 1] === CLOSE) {
      while (at > from && bytes[at - 1] !== OPEN) at--;
      at = this.#skipBack(from, at - 1);
    }
    const end = at;
    let pid = 0;
    let unit = 1;
    while (at > from && isDigit(bytes[at - 1])) {
      pid += ((bytes[--at] as number) - ZERO) * unit;
      unit *= 10;
    }
    if (at === end || end - at > 9 || at <= from) return false;
    const before = bytes[at - 1];
    if (before !== DASH && before !== SPACE) return false;
    this.pid = pid;
    this.commEnd = before === DASH ? at - 1 : this.#skipBack(from, at);
    return this.commEnd > from;
  }

  #skipBack(from: number, to: number): number {
    let at = to;
    while (at > from && this.bytes[at - 1] === SPACE) at--;
    return at;
  }

  /** Reads processor, flags and time; gives where they end, or 0. */
  #place(from: number, to: number): number {
    const { bytes } = this;
    let at = from;
    let cpu = 0;
    while (isDigit(bytes[at]) && at - from < 6) {
      cpu = cpu * 10 + (bytes[at++] as number) - ZERO;
    }
    if (bytes[at] !== 0x5d) return 0;
    this.cpu = cpu;
    do at++; while (at < to && bytes[at] === SPACE);
    const flags = at;
    while (at < to && bytes[at] !== SPACE) at++;
    const time = this.#time(flags, to);
    if (time > 0) {
      this.level = LEVEL.unknown;
      this.irqsOff = false;
      return time;
    }
    if (at - flags < 4 || at - flags > 7) return 0;
    this.#flags(flags);
    while (at < to && bytes[at] === SPACE) at++;
    return this.#time(at, to);
  }

  #flags(at: number): void {
    const irqs = this.bytes[at];
    // Z is an NMI; in these recordings it is what a breakpoint leaves behind.
    this.level = LEVELS[this.bytes[at + 2] as number] as number;
    this.irqsOff = (irqs === LOWER_D || irqs === UPPER_D) &&
      this.level !== LEVEL.unknown;
  }

  /** Reads `seconds.fraction:`; gives where it ends, or 0. */
  #time(from: number, to: number): number {
    const { bytes } = this;
    let at = from;
    let seconds = 0;
    while (isDigit(bytes[at])) {
      seconds = seconds * 10 + (bytes[at++] as number) - ZERO;
    }
    if (at === from || at - from > 10 || bytes[at] !== DOT) return 0;
    const point = ++at;
    let fraction = 0;
    while (isDigit(bytes[at])) {
      fraction = fraction * 10 + (bytes[at++] as number) - ZERO;
    }
    const digits = at - point;
    if (digits === 0 || digits > 9 || bytes[at] !== COLON || at >= to) return 0;
    for (let i = digits; i < 9; i++) fraction *= 10;
    this.ts = seconds * 1e9 + fraction;
    return at + 1;
  }

  /** Reads the name, and finds the arguments. */
  #event(from: number, to: number): number {
    const { bytes } = this;
    let at = from;
    while (at < to && bytes[at] === SPACE) at++;
    this.nameAt = at;
    while (at < to && isWord(bytes[at] as number)) at++;
    // `perf script` puts the group before it: probe:dio_complete:
    if (bytes[at] === COLON && at + 1 < to && bytes[at + 1] !== SPACE) {
      this.nameAt = ++at;
      while (at < to && isWord(bytes[at] as number)) at++;
    }
    this.nameEnd = at;
    this.argsEnd = to;
    const length = at - this.nameAt;
    if (length === 0 || length > 128 || at === to) return LINE.bad;
    const isCall = bytes[at] !== COLON;
    if (!isCall) at++;
    while (at < to && bytes[at] === SPACE) at++;
    this.argsAt = at;
    if (isCall) return this.#isArrow(at) ? LINE.call : LINE.bad;
    return this.#isFunction() ? this.#called(at, to) : LINE.event;
  }

  #isArrow(at: number): boolean {
    const { bytes, argsEnd } = this;
    return at + 1 < argsEnd && bytes[at] === LESS && bytes[at + 1] === DASH;
  }

  /** Whether it is what `trace-cmd` makes of a call: `function: a <-- b`. */
  #isFunction(): boolean {
    if (this.nameEnd - this.nameAt !== 8) return false;
    const { bytes, nameAt, nameEnd } = this;
    return decoder.decode(bytes.subarray(nameAt, nameEnd)) === "function";
  }

  #called(from: number, to: number): number {
    let at = from;
    this.nameAt = at;
    while (at < to && isWord(this.bytes[at] as number)) at++;
    this.nameEnd = at;
    while (at < to && this.bytes[at] === SPACE) at++;
    this.argsAt = at;
    return this.nameEnd > from && this.#isArrow(at) ? LINE.call : LINE.bad;
  }

  #other(from: number, to: number): number {
    if (to - from > 64) return LINE.bad;
    const text = decoder.decode(this.bytes.subarray(from, to));
    const match = LOST.exec(text);
    if (match === null) return PREAMBLE.test(text) ? LINE.note : LINE.bad;
    const { cpu, lost, dropped } = match.groups as Record<string, string>;
    this.cpu = Number(cpu);
    this.lost = Number(lost ?? dropped ?? 0);
    return LINE.lost;
  }
}
