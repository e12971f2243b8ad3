/**
 * Which combinations of shapes the suite meets.
 *
 * Pairs of axes are counted, not the whole product: that has thousands of
 * places, and nobody could check the reasons why most of them are impossible.
 *
 * @module
 */

import { IMPOSSIBLE } from "./impossible.ts";
import { AXES, type Axis, type Shape } from "./shape.ts";

/** Places on two axes. */
export interface Pair {
  readonly axes: readonly [Axis, Axis];
  readonly places: readonly [string, string];
}

/** The names of the axes, in order. */
export const AXIS_NAMES: readonly Axis[] = Object.keys(AXES).filter(
  (name): name is Axis => name in AXES,
);

/** Every pair of places on two axes. */
export const PAIRS: readonly Pair[] = AXIS_NAMES.flatMap((one, i) =>
  AXIS_NAMES.slice(i + 1).flatMap((other) =>
    AXES[one].flatMap((place) =>
      AXES[other].map((second): Pair => ({
        axes: [one, other],
        places: [place, second],
      }))
    )
  )
);

/**
 * A name for a pair.
 *
 * @param pair The pair.
 * @returns E.g. `caller sync, ends softirq`.
 */
export function pairName({ axes, places }: Pair): string {
  return axes.map((axis, i) => `${axis} ${places[i]}`).join(", ");
}

/**
 * Why no request is ever in a pair.
 *
 * @param pair The pair.
 * @returns The reason, or null when there may be one.
 */
export function whyImpossible(pair: Pair): string | null {
  const places: ReadonlyMap<string, string> = new Map(
    pair.axes.map((axis, i) => [axis, pair.places[i] ?? ""]),
  );
  const found = IMPOSSIBLE.find(({ are }) =>
    Object.entries(are).every(([axis, those]) =>
      those.some((place) => place === places.get(axis))
    )
  );
  return found?.why ?? null;
}

/** Counts requests by the pairs that they are in. */
export class Tally {
  readonly #counts: Map<string, number> = new Map();
  #requests = 0;

  /** How many were counted. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * Counts a request.
   *
   * @param shape What it was.
   */
  add(shape: Shape): void {
    this.#requests++;
    for (const [i, one] of AXIS_NAMES.entries()) {
      for (const other of AXIS_NAMES.slice(i + 1)) {
        const key = pairName({
          axes: [one, other],
          places: [shape[one], shape[other]],
        });
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
      }
    }
  }

  /**
   * How many were in a pair.
   *
   * @param pair The pair.
   * @returns The number.
   */
  count(pair: Pair): number {
    return this.#counts.get(pairName(pair)) ?? 0;
  }

  /** Pairs that are possible and that no request was in. */
  get missing(): Pair[] {
    return PAIRS.filter((pair) =>
      this.count(pair) === 0 && whyImpossible(pair) === null
    );
  }

  /** Pairs that are said to be impossible and that a request was in. */
  get surprising(): Pair[] {
    return PAIRS.filter((pair) =>
      this.count(pair) > 0 && whyImpossible(pair) !== null
    );
  }
}
