/**
 * What every assertion throws when it fails.
 *
 * @module
 */

/** A failed assertion. */
export class AssertionError extends Error {
  /** Makes the error of one failed assertion. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** The end of a message: the caller's words, or a full stop. */
export function ending(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
