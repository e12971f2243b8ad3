/**
 * Stand-in for `@std/cli/unstable-progress-bar`: a bar that is drawn again and
 * again on one line of a terminal.
 *
 * @module
 */

/** What a formatter is given. */
export interface ProgressBarFormatter {
  /** Time since the start, as `mm:ss`. */
  styledTime: string;
  /** Value and maximum, as `0.40/97.66 KiB`. */
  styledData: string;
  /** The bar alone, as `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** `time` when the bar was last drawn. */
  previousTime: number;
  /** How far it has come. */
  value: number;
  /** `value` when the bar was last drawn. */
  previousValue: number;
  /** How far it will go. */
  max: number;
}

/** Options of {@linkcode ProgressBar}. */
export interface ProgressBarOptions {
  /**
   * Where to draw.
   *
   * @default {Deno.stderr.writable}
   */
  writable?: WritableStream<Uint8Array>;
  /**
   * Where to start.
   *
   * @default {0}
   */
  value?: number;
  /** How far it will go. */
  max: number;
  /**
   * Length of the bar, in characters.
   *
   * @default {50}
   */
  barLength?: number;
  /**
   * What is done.
   *
   * @default {'#'}
   */
  fillChar?: string;
  /**
   * What is still to do.
   *
   * @default {'-'}
   */
  emptyChar?: string;
  /**
   * Whether the bar disappears at the end.
   *
   * @default {false}
   */
  clear?: boolean;
  /** Makes the line. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /**
   * Whether the stream stays open at the end.
   *
   * @default {true}
   */
  keepOpen?: boolean;
  /**
   * Milliseconds from one drawing to the next.
   *
   * @default {1000}
   */
  interval?: number;
}

const CLEAR_LINE = "\r\x1b[K";
const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/** A bar that shows how far something has come. */
export class ProgressBar {
  /** How far it has come. */
  value: number;
  /** How far it will go. */
  max: number;

  readonly #options: Required<Omit<ProgressBarOptions, "value" | "max">>;
  readonly #writer: WritableStreamDefaultWriter<string>;
  readonly #piped: Promise<void>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startTime: number = Date.now();
  #previousTime = 0;
  #previousValue: number;

  /** Draws the bar, and goes on drawing it until `stop`. */
  constructor(options: ProgressBarOptions) {
    const { value = 0, max, ...others } = options;
    this.value = value;
    this.max = max;
    this.#previousValue = value;
    this.#options = {
      writable: Deno.stderr.writable,
      barLength: 50,
      fillChar: "#",
      emptyChar: "-",
      clear: false,
      formatter: defaultLine,
      keepOpen: true,
      interval: 1000,
      ...others,
    };
    const encoder = new TextEncoderStream();
    this.#writer = encoder.writable.getWriter();
    this.#timer = setInterval(() => this.#draw(), this.#options.interval);
    this.#piped = encoder.readable
      .pipeTo(this.#options.writable, { preventClose: this.#options.keepOpen })
      .catch(() => clearInterval(this.#timer));
    this.#draw();
  }

  /** Draws the bar a last time, or removes it, and lets the stream go. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    try {
      if (this.#options.clear) {
        await this.#writer.write(CLEAR_LINE);
      } else {
        await this.#draw();
        await this.#writer.write("\n");
      }
      await this.#writer.close();
      await this.#piped;
    } catch {
      // Nobody looks at the bar any more; the work it shows goes on.
    }
  }

  async #draw(): Promise<void> {
    const state = this.#state();
    this.#previousTime = state.time;
    this.#previousValue = state.value;
    try {
      await this.#writer.write(CLEAR_LINE + this.#options.formatter(state));
    } catch {
      // As above.
    }
  }

  #state(): ProgressBarFormatter {
    const { barLength, fillChar, emptyChar } = this.#options;
    const time = Date.now() - this.#startTime;
    const part = Math.min(Math.max(this.value / this.max, 0), 1);
    const filled = Math.trunc(part * barLength);
    return {
      styledTime: minutesAndSeconds(time),
      styledData: inUnits(this.value, this.max),
      progressBar: fillChar.repeat(filled) +
        emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previousTime,
      value: this.value,
      previousValue: this.#previousValue,
      max: this.max,
    };
  }
}

function defaultLine(bar: ProgressBarFormatter): string {
  return `[${bar.styledTime}] [${bar.progressBar}] [${bar.styledData}]`;
}

function minutesAndSeconds(timeMs: number): string {
  const seconds = Math.trunc(timeMs / 1000);
  return [Math.trunc(seconds / 60), seconds % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** Two amounts in the largest unit that the second one fills. */
function inUnits(value: number, max: number): string {
  let unit = 0;
  while (unit + 1 < UNITS.length && 1024 ** (unit + 2) <= max) unit++;
  const [part, whole] = [value, max]
    .map((amount) => (amount / 1024 ** (unit + 1)).toFixed(2));
  return `${part}/${whole} ${UNITS[unit]}`;
}
