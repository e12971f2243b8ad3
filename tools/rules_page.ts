/**
 * The page of all rules, `conformance/RULES.md`:
 * `deno run tools/rules_page.ts > conformance/RULES.md`. A test holds it equal
 * to the rules.
 *
 * @module
 */

import {
  bugById,
  BUGS,
  type Rule,
  RULE_CLASSES,
  ruleClass,
  ruleExample,
  RULES,
} from "../conformance/mod.ts";
import { type Io, runTool } from "./cli.ts";

const HEAD = `<!-- deno-fmt-ignore-file -->

# Rules

What must hold in every trace, by class. Each rule says what a user would see if
it were broken, where in Linux it comes from, and which bugs that Linux has had
broke it (they are listed at the end). The trace below it breaks that rule
and no other one, and no line of it can be left out: lines with a minus are in
that trace, lines with a plus in the one that keeps the rule, all others in both.

This page is made from the rules: \`deno run tools/rules_page.ts\`. One rule is
shown by \`deno run tools/trace.ts list rules ID\`.
`;

/**
 * The page.
 *
 * @returns Markdown.
 */
export function rulesPage(): string {
  const classes = [...new Set(RULES.map(({ id }) => ruleClass(id)))];
  return [
    HEAD,
    ...classes.map((name) => `- [${name}](#${name}): ${sentenceOf(name)}`),
    "",
    ...classes.flatMap(classPart),
    "## Bugs that Linux has had",
    "",
    ...BUGS.map(({ id, where, subject, when, classes }) =>
      `- **${id}** ${where} (${when}): ${plain(subject)}; ${classes.join(", ")}`
    ),
    "",
  ].join("\n");
}

function classPart(name: string): string[] {
  const rules = RULES.filter(({ id }) => ruleClass(id) === name);
  return [
    `## ${name}`,
    "",
    `${capitalized(sentenceOf(name))}.`,
    "",
    ...rules.flatMap(rulePart),
  ];
}

function rulePart(rule: Rule): string[] {
  const { id, sentence, why, source, bugs, profiles, impliedBy } = rule;
  return [
    `### ${id}`,
    "",
    `${plain(sentence)}.`,
    "",
    `- Why: ${plain(why)}`,
    `- Source: ${plain(source)}`,
    ...bugs.length > 0 ? [`- Bugs: ${bugs.map(bugText).join(", ")}`] : [],
    ...profiles ? [`- Profiles: ${profiles.join(", ")}`] : [],
    ...impliedBy
      ? [`- Whenever it is broken, so is one of: ${impliedBy.join(", ")}`]
      : [],
    "",
    "```diff",
    ...ruleExample(id).diff,
    "```",
    "",
  ];
}

function bugText(id: string): string {
  return `${id} (${bugById(id).where})`;
}

function sentenceOf(name: string): string {
  return plain(RULE_CLASSES.get(name) ?? name);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Asterisks would be taken for emphasis, and what is in <> for a tag. */
function plain(text: string): string {
  return text.replaceAll(/[*<]/g, (mark) => `\\${mark}`);
}

async function rulesPageTool(
  _args: readonly string[],
  io: Io,
): Promise<number> {
  await io.out.write(rulesPage());
  return 0;
}

if (import.meta.main) await runTool("rules_page.ts", rulesPageTool);
