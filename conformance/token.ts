/**
 * Tokens: one printable word from which a run can be repeated.
 *
 * @module
 */

import {
  type Choices,
  decodeChoices,
  encodeChoices,
  fifo,
  PROFILE_NAMES,
  type ProfileName,
  replay,
  type Strategy,
} from "../core/mod.ts";

const VERSION = "endio1";

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
}

/**
 * Writes a token: `endio1:PROFILE:MODEL:SCENARIO:STRATEGY:CHOICES`.
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
  const { profile, model, scenario, strategy, choices } = token;
  return [VERSION, profile, model, scenario, strategy, encodeChoices(choices)]
    .join(":");
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
  return {
    profile,
    model,
    scenario,
    strategy,
    choices: decodeChoices(choices),
  };
}

/**
 * The strategy that repeats the run of a token.
 *
 * @param token What the token says.
 * @returns The strategy, for one run.
 *
 * @example
 * ```ts
 * import { parseToken, strategyOfToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v6.1:plain:aio-read:random-7:I");
 * assertEquals(strategyOfToken(token).name, "replay");
 * ```
 */
export function strategyOfToken(token: RunToken): Strategy {
  // The default strategy does not stop at every step; a replay does, and so
  // has another clock.
  return token.strategy === "fifo" ? fifo() : replay(token.choices);
}
