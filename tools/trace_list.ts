/**
 * `trace.ts list`: filesystems, scenarios, rules, formats.
 *
 * @module
 */

import { PROFILE_NAMES } from "../core/mod.ts";
import {
  BUGS,
  mountForQuestions,
  type Op,
  type Rule,
  ruleClass,
  ruleExample,
  RULES,
  type Scenario,
  SCENARIOS,
  whyNot,
} from "../conformance/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  alignColumns,
  EXIT_OK,
  type Io,
  lookUp,
  readOptions,
  UserError,
  wrapText,
} from "./cli.ts";
import { INEXPRESSIBLE } from "./mutants/inexpressible.ts";
import { kindOf, MUTANTS } from "./mutants/mod.ts";
import { FORMATS } from "./trace_formats.ts";

/** How to use it. */
export const LIST_HELP = `Lists what there is.

Usage: deno run tools/trace.ts list [KIND] [ID]

Kinds: fs, scenarios, rules, bugs, mutants, formats.
Without arguments an overview of all; with a kind everything of that kind;
with an ID all there is to say about that one.

Example: deno run tools/trace.ts list rules completion-order/free-last
`;

/** Scenarios that the overview names. */
const SHOWN = 20;

/** A kind of thing that can be listed. */
interface Kind {
  /** All ids with a few words each. */
  readonly all: () => string;
  /** All there is to say about one. */
  readonly one: (id: string) => string;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["fs", { all: listModels, one: describeModel }],
  ["scenarios", { all: listScenarios, one: describeScenario }],
  ["rules", { all: listRules, one: describeRule }],
  ["bugs", { all: listBugs, one: describeBug }],
  ["mutants", { all: listMutants, one: describeMutant }],
  ["formats", { all: listFormats, one: describeFormat }],
]);

/**
 * The command.
 *
 * @param args What follows `list`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function list(args: readonly string[], io: Io): Promise<number> {
  const { flags, rest } = readOptions(args, {});
  if (flags.has("help")) {
    await io.out.write(LIST_HELP);
    return EXIT_OK;
  }
  const [name, id, extra] = rest;
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': list takes a kind and one ID`);
  }
  if (name === undefined) await io.out.write(overview());
  else {
    const kind = lookUp("kind", name, KINDS);
    await io.out.write(id === undefined ? kind.all() : kind.one(id));
  }
  return EXIT_OK;
}

function overview(): string {
  const classes = new Set(RULES.map(({ id }) => ruleClass(id)));
  const entries: readonly (readonly [string, Iterable<string>])[] = [
    ["filesystems (list fs)", MODELS.map(({ name }) => name)],
    [`${SCENARIOS.length} scenarios (list scenarios)`, [
      ...SCENARIOS.slice(0, SHOWN).map(({ id }) => id),
      "…",
    ]],
    [`${RULES.length} rules (list rules) of these classes`, classes],
    ["bugs (list bugs) and mutants of the code (list mutants)", [
      `${BUGS.length} and ${MUTANTS.length}`,
    ]],
    ["profiles", PROFILE_NAMES],
    ["formats (list formats)", FORMATS.keys()],
  ];
  return entries.map(([title, names]) => {
    const lines = wrapText([...names].join(", "), 76);
    return `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`;
  }).join("");
}

function listModels(): string {
  return alignColumns(
    MODELS.map((model) => [
      model.name,
      mountForQuestions(model).features?.join(", ") ?? "",
    ]),
    0,
  );
}

function describeModel(name: string): string {
  const models = new Map(MODELS.map((model) => [model.name, model]));
  const model: ModelSpec = lookUp("filesystem", name, models);
  const fs = mountForQuestions(model);
  const runs = SCENARIOS.filter((scenario) =>
    PROFILE_NAMES.some((profile) => whyNot(fs, scenario, profile) === null)
  );
  return [
    `${model.name}\n`,
    fields([
      ["features", fs.features?.join(", ") || "none"],
      ["scenarios", runs.map(({ id }) => id).join(", ")],
    ]),
  ].join("");
}

function listScenarios(): string {
  return alignColumns(SCENARIOS.map(({ id, title }) => [id, title]), 0);
}

function describeScenario(id: string): string {
  const all = new Map(SCENARIOS.map((scenario) => [scenario.id, scenario]));
  const hint = "'trace.ts list scenarios' shows all";
  const scenario: Scenario = lookUp("scenario", id, all, hint);
  const { file, tasks, faults, allocFaults } = scenario;
  const extents = file.extents.map(({ offset, bytes, state }) =>
    `${offset}+${bytes} ${state}`
  );
  const models = MODELS.filter((model) =>
    PROFILE_NAMES.some((profile) =>
      whyNot(mountForQuestions(model), scenario, profile) === null
    )
  );
  return [
    `${id}\n`,
    ...wrapText(`${scenario.title}.`, 76).map((line) => `  ${line}\n`),
    fields([
      ["runs on", models.map(({ name }) => name).join(", ") || "no model"],
      ["needs", scenario.needs?.join(", ") ?? "nothing"],
      ["profiles", (scenario.profiles ?? PROFILE_NAMES).join(", ")],
      ["file", `${file.size} bytes: ${extents.join(", ") || "a hole"}`],
      ...scenario.dsync ? [["opened", "O_DSYNC"] as const] : [],
      ["completes in", scenario.completion ?? "softirq"],
      ...faults
        ? [["failing bio", faults.map(faultText).join(", ")] as const]
        : [],
      ...allocFaults
        ? [["failing alloc", allocFaults.map(faultText).join(", ")] as const]
        : [],
      ...tasks.map(({ comm, ops }) =>
        [`task ${comm}`, ops.map(opText).join("; ")] as const
      ),
      ["rules", scenario.rules.join(", ")],
    ]),
  ].join("");
}

function faultText(fault: object): string {
  return Object.entries(fault).map(([name, value]) => `${name} ${value}`)
    .join(" ");
}

function opText(op: Op): string {
  const { op: name, ...args } = op;
  const texts = Object.entries(args).map(([key, value]) => `${key} ${value}`);
  return [name, ...texts].join(" ");
}

function listRules(): string {
  return alignColumns(RULES.map(({ id, sentence }) => [id, sentence]), 0);
}

function describeRule(id: string): string {
  const all = new Map(RULES.map((rule) => [rule.id, rule]));
  const rule: Rule = lookUp("rule", id, all, "'trace.ts list rules' shows all");
  return [
    `${id}\n`,
    ...wrapText(`${rule.sentence}.`, 76).map((line) => `  ${line}\n`),
    fields([
      ["why", rule.why],
      ["source", rule.source],
      ["bugs", rule.bugs.join(", ") || "none on record"],
      ["profiles", (rule.profiles ?? PROFILE_NAMES).join(", ")],
      [
        "scenarios",
        SCENARIOS.filter(({ rules }) => rules.includes(id))
          .map((scenario) => scenario.id).join(", ") || "no one in particular",
      ],
      ...rule.impliedBy
        ? [["breaks with", `one of ${rule.impliedBy.join(", ")}`] as const]
        : [],
      ["mutants", mutantsOf(id) || "none that it has to find"],
    ]),
    "  the smallest trace that breaks it (-), and the one it should be (+)\n",
    ...ruleExample(id).diff.map((line) => `    ${line}\n`),
  ].join("");
}

function mutantsOf(rule: string): string {
  return MUTANTS.filter((mutant) => mutant.rule === rule)
    .map(({ id }) => id).join(", ");
}

function listBugs(): string {
  return alignColumns(BUGS.map(({ id, subject }) => [id, subject]), 0);
}

function describeBug(id: string): string {
  const all = new Map(BUGS.map((bug) => [bug.id, bug]));
  const bug = lookUp("bug", id, all, "'trace.ts list bugs' shows all");
  const rules = RULES.filter(({ bugs }) => bugs.includes(id));
  const mutants = MUTANTS.filter(({ bugs }) => bugs.includes(id));
  return [
    `${id}\n`,
    ...wrapText(`${bug.subject}.`, 76).map((line) => `  ${line}\n`),
    fields([
      ["where", bug.where],
      ["when", bug.when],
      ["wrong", bug.wrong],
      ["classes", bug.classes.join(", ")],
      ["rules", rules.map(({ id }) => id).join(", ") || "none names it"],
      [
        "mutants",
        mutants.map(({ id }) => id).join(", ") ||
        `none: ${INEXPRESSIBLE.get(id)}`,
      ],
    ]),
  ].join("");
}

function listMutants(): string {
  return alignColumns(MUTANTS.map(({ id, mistake }) => [id, mistake]), 0);
}

function describeMutant(id: string): string {
  const all = new Map(MUTANTS.map((mutant) => [mutant.id, mutant]));
  const hint = "'trace.ts list mutants' shows all";
  const mutant = lookUp("mutant", id, all, hint);
  return [
    `${id}\n`,
    ...wrapText(`${mutant.mistake}.`, 76).map((line) => `  ${line}\n`),
    fields([
      ["found by", mutant.rule],
      ["stands for", mutant.bugs.join(", ") || "no bug on record"],
      ["profile", mutant.profile ?? "v3.12"],
      ["made in", kindOf(mutant)],
    ]),
  ].join("");
}

function listFormats(): string {
  return alignColumns(
    [...FORMATS].map(([name, { about }]) => [name, about]),
    0,
  );
}

function describeFormat(id: string): string {
  return `${id}\n  ${lookUp("format", id, FORMATS).about}\n`;
}

/** Names with their texts beside them, broken into lines. */
function fields(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) =>
    wrapText(text, 76 - width).map((line, i) =>
      `  ${(i === 0 ? name : "").padEnd(width)}  ${line}\n`
    ).join("")
  ).join("");
}
