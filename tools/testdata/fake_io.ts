/**
 * A world for the tests of tools: standard input from a text, outputs into
 * texts.
 *
 * @module
 */

import type { Io } from "../cli.ts";

/** The world, and what was written into it. */
export interface FakeIo extends Io {
  /** What went to standard output. */
  readonly stdout: () => string;
  /** What went to standard error. */
  readonly stderr: () => string;
}

/**
 * Makes a world.
 *
 * @param input What standard input gives.
 * @param color Whether it takes colours.
 * @returns The world.
 */
export function fakeIo(input: string = "", color: boolean = false): FakeIo {
  let stdout = "";
  let stderr = "";
  return {
    out: { write: (text) => Promise.resolve(void (stdout += text)) },
    err: { write: (text) => Promise.resolve(void (stderr += text)) },
    stdin: () => new Blob([input]).stream(),
    color,
    errColor: color,
    columns: 100,
    stdout: () => stdout,
    stderr: () => stderr,
  };
}
