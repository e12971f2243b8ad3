/**
 * The trunk of an exploration, and the units behind its ends: what the parts
 * of {@linkcode Part} are made of.
 *
 * @module
 */

import type { Node } from "./node.ts";
import type { Part } from "./part.ts";
import type { SavedTrunk } from "./saved.ts";

/** Knows where the trunk of an exploration ends, and counts its units. */
export class Trunk {
  /** How many units were begun, also those of other parts. */
  units = 0;
  readonly #part: Part;
  /** How many ends of each level were met. */
  readonly #ends: number[];

  constructor(part: Part) {
    this.#part = part;
    this.#ends = [0, ...part.levels.map(() => 0)];
  }

  /**
   * A run comes to a state for the first time.
   *
   * @param node The state.
   * @returns False when a unit of another part begins there.
   */
  enter(node: Node): boolean {
    const { depth, levels } = this.#part;
    if (node.isInUnit || node.branchings < depth) return true;
    const { level } = node;
    const end = this.#ends[level] as number;
    this.#ends[level] = end + 1;
    if (levels[level]?.has(end)) {
      node.level++;
      node.branchings = 0;
      return true;
    }
    node.isInUnit = true;
    return this.#part.owns(this.units++, level, end);
  }

  /**
   * A run has ended in the trunk, and is a unit by itself.
   *
   * @returns False when it is one of another part.
   */
  enterShort(): boolean {
    return this.#part.owns(this.units++, -1, -1);
  }

  /** Where the counting stands. */
  save(): SavedTrunk {
    return { units: this.units, ends: [...this.#ends] };
  }

  /** Goes on counting. */
  load({ units, ends }: SavedTrunk): void {
    this.units = units;
    ends.forEach((end, level) => this.#ends[level] = end);
  }
}
