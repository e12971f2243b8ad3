/**
 * A failing run as a test that can be pasted.
 *
 * @module
 */

import type { RunReport } from "../run.ts";

const WIDTH = 80;

/**
 * A test of a failing run, as text: `deno fmt` has nothing to change in it.
 * It brings its scenario; the model it expects as `model`. It repeats the run
 * first; once the program has changed so that the run cannot be repeated, it
 * explores the scenario.
 *
 * @param report The failing run, best a shrunk one.
 * @returns A module in TypeScript.
 *
 * @example
 * ```ts
 * import { formatTest, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const report = runScenario(MODELS[0]!, scenarioById("aio-write"));
 * assertStringIncludes(formatTest(report), `id: "aio-write",`);
 * ```
 */
export function formatTest(report: RunReport): string {
  const { model, scenario, profile, violations, token } = report;
  const rule = violations[0]?.rule ?? "no rule";
  const data = { ...scenario, rules: violations.length > 0 ? [rule] : [] };
  const name = `${rule}: ${model} keeps it in ${scenario.id}`;
  const beside = "const scenario: Scenario = ;";
  return `import { checkConformance, type Scenario } from "@endio/dio/conformance";
import { assertEquals } from "@std/assert";
// To be added: where \`model\`, the ${model} to be checked, comes from.

const scenario: Scenario = ${literal(data, "", beside)};
${constant("run", token)}

Deno.test(${JSON.stringify(name)}, () => {
  const { violations } = checkConformance(model, {
    profile: "${profile}",
    scenarios: [scenario],
    first: [run],
  });
  assertEquals(violations, []);
});
`;
}

function constant(name: string, value: string): string {
  const line = `const ${name} = "${value}";`;
  return line.length <= WIDTH ? line : `const ${name} =\n  "${value}";`;
}

/** A value as deno fmt writes it, at an indentation, beside other text. */
function literal(value: unknown, indent: string, beside: string): string {
  const line = inOneLine(value);
  if (beside.length + line.length <= WIDTH) return line;
  if (typeof value !== "object" || value === null) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((part) => literal(part, inner, `${inner},`))
    : members(value).map(([key, part]) =>
      `${key}: ${literal(part, inner, `${inner}${key}: ,`)}`
    );
  const lines = parts.map((part) => `${inner}${part},\n`);
  return `${open}\n${lines.join("")}${indent}${close}`;
}

function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = members(value).map(([key, part]) =>
    `${key}: ${inOneLine(part)}`
  );
  return `{ ${parts.join(", ")} }`;
}

function members(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, part]) => part !== undefined);
}
