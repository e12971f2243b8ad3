/**
 * What the suite meets, as text.
 *
 * @module
 */

import { RULES } from "../../conformance/mod.ts";
import { alignColumns } from "../cli.ts";
import type { Coverage } from "./measure.ts";
import { AXES, type Axis } from "./shape.ts";
import { AXIS_NAMES, pairName, PAIRS, whyImpossible } from "./tally.ts";

/** What the suite ought to meet and does not, a line each. */
export function gaps({ tally, rules, scenarios }: Coverage): string[] {
  return [
    ...tally.missing.map((pair) => `no request is in: ${pairName(pair)}`),
    ...tally.surprising.map((pair) =>
      `said to be impossible, and met: ${pairName(pair)}`
    ),
    ...RULES.filter(({ id }) => !rules.has(id)).map(({ id }) =>
      `no scenario exercises rule ${id}`
    ),
    ...[...scenarios].flatMap(([{ id, rules }, exercised]) =>
      rules.some((rule) => exercised.has(rule))
        ? []
        : [`scenario ${id} exercises no rule that it is there for`]
    ),
  ];
}

/**
 * A table of every two axes, and what is missing.
 *
 * @param coverage What the suite meets.
 * @returns The text.
 */
export function coverageText(coverage: Coverage): string {
  const { tally, runs, rules, scenarios } = coverage;
  const possible = PAIRS.filter((pair) => whyImpossible(pair) === null);
  const met = possible.filter((pair) => tally.count(pair) > 0);
  const exercised = RULES.filter(({ id }) => rules.has(id));
  const tables = AXIS_NAMES.flatMap((one, i) =>
    AXIS_NAMES.slice(i + 1).map((other) => table(coverage, one, other))
  );
  return [
    ...tables,
    "x cannot be (--impossible says why)\n\n",
    `${met.length} of ${possible.length} possible pairs met, ` +
    `${exercised.length} of ${RULES.length} rules exercised, ` +
    `${scenarios.size} scenarios, ${tally.requests} requests in ${runs} runs\n`,
    ...gaps(coverage).map((gap) => `${gap}\n`),
  ].join("");
}

function table({ tally }: Coverage, one: Axis, other: Axis): string {
  const rows = AXES[one].map((place) => [
    place,
    ...AXES[other].map((second) => {
      const pair = { axes: [one, other], places: [place, second] } as const;
      const count = tally.count(pair);
      return count === 0 && whyImpossible(pair) !== null ? "x" : `${count}`;
    }),
  ]);
  const head = [`${one} \\ ${other}`, ...AXES[other]];
  return `${alignColumns([head, ...rows], 0)}\n`;
}

/** Every pair that cannot be, with the reason. */
export function impossibleText(): string {
  return alignColumns(
    PAIRS.flatMap((pair) => {
      const why = whyImpossible(pair);
      return why === null ? [] : [[pairName(pair), why]];
    }),
    0,
  );
}
