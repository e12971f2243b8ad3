/**
 * Historic bugs that are no mutant, and why.
 *
 * @module
 */

/** Why there is no mutant of a bug, by its number. */
export const INEXPRESSIBLE: ReadonlyMap<string, string> = new Map([]);
