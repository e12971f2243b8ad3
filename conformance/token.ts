/**
 * Tokens: one printable word from which a run can be repeated.
 *
 * ```text
 * endio1:v3.12:ext4:aio-write-many:random-7:KxB.Q_3aBcC
 * ```
 *
 * are version, profile, model, scenario, the strategy that found the run, its
 * choices, and behind a point what the run was like: from that a replay tells
 * that the program has changed, and since when.
 *
 * Behind a plus may stand who goes on after the last choice, instead of the
 * default order: `+fifo`, `+random-7`, `+pct-7-3` or `+exhaustive`; with
 * `@40` at the end, after the first 40 choices.
 *
 * @module
 */

import {
  type Choices,
  decodeChoices,
  decodePrint,
  encodeChoices,
  encodePrint,
  fifo,
  pct,
  PROFILE_NAMES,
  type ProfileName,
  random,
  replay,
  type RunPrint,
  type Strategy,
} from "../core/mod.ts";

const VERSION = "endio1";
/** How a continuation is written. */
const THEN = /^(?<strategy>[\w-]+)(?:@(?<after>\d{1,9}))?$/;
/** Steps of a run that pct expects when the token does not say. */
const PCT_STEPS = 1000;

/** What a token says. */
export interface RunToken {
  /** Whose semantics were in force. */
  readonly profile: ProfileName;
  /** The model's name. */
  readonly model: string;
  /** The scenario's name. */
  readonly scenario: string;
  /** The name of the strategy that found the run. */
  readonly strategy: string;
  /** The choices of the run that were not the default ones. */
  readonly choices: Choices;
  /** What the run was like; without it any run fits that has the choices. */
  readonly print?: RunPrint;
  /** Who goes on after the choices, instead of the default order. */
  readonly then?: Continuation;
}

/** How a run goes on that begins like a recorded one. */
export interface Continuation {
  /** Who decides: `fifo`, `random-7`, `pct-7-3`, `exhaustive`. */
  readonly strategy: string;
  /**
   * After how many choices of the recorded run, default ones included.
   *
   * @default {the last one in the token}
   */
  readonly after?: number;
}

/**
 * Writes a token:
 * `endio1:PROFILE:MODEL:SCENARIO:STRATEGY:CHOICES[.PRINT][+THEN[@AFTER]]`.
 *
 * @param token What it says.
 * @returns The token; no character of it is special to a shell.
 *
 * @example
 * ```ts
 * import { formatToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatToken({
 *     profile: "v3.12",
 *     model: "ext4",
 *     scenario: "aio-write",
 *     strategy: "fifo",
 *     choices: [],
 *   }),
 *   "endio1:v3.12:ext4:aio-write:fifo:",
 * );
 * ```
 */
export function formatToken(token: RunToken): string {
  const { profile, model, scenario, strategy, choices, print, then } = token;
  const recorded = encodeChoices(choices) +
    (print ? `.${encodePrint(print)}` : "");
  const after = then?.after === undefined ? "" : `@${then.after}`;
  return [
    VERSION,
    profile,
    model,
    scenario,
    strategy,
    then ? `${recorded}+${then.strategy}${after}` : recorded,
  ].join(":");
}

/**
 * Reads a token.
 *
 * @param text The token.
 * @returns What it says.
 * @throws {SyntaxError} If it is not a token of this version.
 *
 * @example
 * ```ts
 * import { parseToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v6.1:plain:aio-read:random-7:I");
 * assertEquals([token.profile, token.choices.length], ["v6.1", 1]);
 * ```
 */
export function parseToken(text: string): RunToken {
  const [version, name, model, scenario, strategy, choices, ...rest] = text
    .split(":");
  if (version !== VERSION) {
    throw new SyntaxError(
      `Cannot read schedule token: it begins with '${version}', expected '${VERSION}'`,
    );
  }
  const profile = PROFILE_NAMES.find((known) => known === name);
  if (
    profile === undefined || !model || !scenario || !strategy ||
    choices === undefined || rest.length > 0
  ) {
    throw new SyntaxError(
      `Cannot read schedule token: expected ${VERSION}:PROFILE:MODEL:SCENARIO:STRATEGY:CHOICES, got '${text}'`,
    );
  }
  return { profile, model, scenario, strategy, ...parseRun(choices) };
}

/** Reads `CHOICES[.PRINT][+THEN[@AFTER]]`. */
function parseRun(
  text: string,
): Pick<RunToken, "choices" | "print" | "then"> {
  const [recorded = "", then, ...more] = text.split("+");
  const [options = "", print, ...rest] = recorded.split(".");
  if (rest.length > 0 || more.length > 0) {
    throw new SyntaxError(
      `Cannot read schedule token: expected CHOICES[.PRINT][+THEN[@AFTER]], got '${text}'`,
    );
  }
  const choices = decodeChoices(options);
  return {
    choices,
    ...(print !== undefined && { print: decodePrint(print, choices.length) }),
    ...(then !== undefined && { then: parseContinuation(then) }),
  };
}

function parseContinuation(text: string): Continuation {
  const { strategy = "", after } = THEN.exec(text)?.groups ?? {};
  if (!isContinuation(strategy)) {
    throw new SyntaxError(
      `Cannot read schedule token: it goes on with '${text}', choose fifo, random-SEED, pct-SEED-DEPTH or exhaustive, and @CHOICES if need be`,
    );
  }
  return { strategy, ...(after !== undefined && { after: Number(after) }) };
}

/**
 * The strategy that repeats the run of a token, and goes on as it says.
 *
 * @param token What the token says.
 * @param explorer Who goes on where the token says `+exhaustive`: one for all
 * runs, each of which gets a strategy of its own.
 * @returns The strategy, for one run.
 * @throws {RangeError} If the token stands for many runs, and there is no
 * `explorer`.
 *
 * @example
 * ```ts
 * import { parseToken, strategyOfToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v6.1:plain:aio-read:random-7:I");
 * assertEquals(strategyOfToken(token).name, "random-7");
 * ```
 */
export function strategyOfToken(
  token: RunToken,
  explorer?: Strategy,
): Strategy {
  const { strategy, choices, print, then } = token;
  // The default strategy does not stop at every step; a replay does, and so
  // has another clock.
  if (strategy === "fifo" && choices.length === 0 && !then) return fifo();
  const next = then && continuation(token, then, explorer);
  const timeless = isTimeless(strategy) || next?.timeless === true;
  return replay(choices, {
    ...(print && { print }),
    ...(next && { then: next }),
    ...(then?.after !== undefined && { length: then.after }),
    name: next ? replayName(timeless) : strategy,
    timeless,
  });
}

/**
 * The seed that the run of a token was found with.
 *
 * @param token What the token says.
 * @returns The seed, or null when its strategy has none, or the run does not go
 * on with it.
 *
 * @example
 * ```ts
 * import { parseToken, seedOfToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v6.1:plain:aio-read:random-7:I");
 * assertEquals(seedOfToken(token), 7);
 * ```
 */
export function seedOfToken({ strategy, then }: RunToken): number | null {
  const [name, seed] = strategy.split("-");
  return seed !== undefined && then === undefined &&
      (name === "random" || name === "pct")
    ? Number(seed)
    : null;
}

/**
 * The name of the strategy of a run that was put together, as a token has it.
 *
 * @param timeless Whether virtual time orders nothing in it.
 * @returns A name from which {@linkcode isTimeless} tells that again.
 *
 * @example
 * ```ts
 * import { isTimeless, replayName } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([true, false].map(replayName).map(isTimeless), [true, false]);
 * ```
 */
export function replayName(timeless: boolean): string {
  return timeless ? "exhaustive" : "replay";
}

function isContinuation(name: string): boolean {
  return /^(?:fifo|random-\d+|pct-\d+-[1-9]\d*|exhaustive)$/.test(name);
}

/**
 * Whether a strategy is one under which virtual time orders nothing.
 *
 * @param name Its name, as a token has it.
 * @returns True for one that explores.
 *
 * @example
 * ```ts
 * import { isTimeless } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["fifo", "random-7", "exhaustive"].map(isTimeless), [false, false, true]);
 * ```
 */
export function isTimeless(name: string): boolean {
  return name.startsWith("exhaustive");
}

function continuation(
  token: RunToken,
  { strategy }: Continuation,
  explorer: Strategy | undefined,
): Strategy {
  const [name, seed, depth] = strategy.split("-");
  switch (name) {
    case "fifo":
      return replay([]);
    case "random":
      return random(Number(seed));
    case "pct": {
      const steps = Math.max(1, token.print?.steps ?? PCT_STEPS);
      return pct({ seed: Number(seed), depth: Number(depth), steps });
    }
    default:
      if (explorer !== undefined) return explorer;
      throw new RangeError(
        `Cannot replay ${
          formatToken(token)
        } as one run: +${strategy} stands for many, checkConformance() and tools/explore.ts take it`,
      );
  }
}
