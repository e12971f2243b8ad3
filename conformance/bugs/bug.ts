/**
 * A bug that Linux has had.
 *
 * @module
 */

/** A bug that Linux has had, and what kind of rule it breaks. */
export interface Bug {
  /** Its number here; numbers are not consecutive. */
  readonly id: string;
  /** Where it was. */
  readonly where: string;
  /** Subject of the commit that fixed it, or what it is called here. */
  readonly subject: string;
  /** When it was fixed, or came up. */
  readonly when: string;
  /** What was wrong. */
  readonly wrong: string;
  /** Classes of the rules that it breaks. */
  readonly classes: readonly string[];
}
