// What a failure prints is a test: pasted into a user's project it fails, with
// the same rule, until the model is mended.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkConformance, formatTest } from "../conformance/mod.ts";
import { model } from "./testdata/hasty_truncate.ts";
import { runDeno, test, testProject } from "./testdata/project.ts";

const MODEL = new URL("./testdata/hasty_truncate.ts", import.meta.url);
const IMPORT = `import { model } from "./model.ts";\n`;
/** The mistake, and what mends it. */
const BROKEN = "new HastyTruncate(";
const MENDED = "new PlainFilesystem(";

/** The test that the first failure of the model prints, and its rule. */
function printed(): { readonly text: string; readonly rule: string } {
  const { scenarios } = checkConformance(model);
  const shrunk = scenarios.find(({ failure }) => failure !== null)?.shrunk;
  assert(shrunk);
  const rule = shrunk.report.violations[0]?.rule ?? "";
  return { text: formatTest(shrunk.report), rule };
}

async function runPasted(edit: (model: string) => string) {
  const { text, rule } = printed();
  const outcome = await testProject({
    "model.ts": edit(await Deno.readTextFile(MODEL)),
    "pasted_test.ts": IMPORT + text,
  });
  return { ...outcome, rule };
}

test("formatTest() prints a test that fails under deno test with the rule that is broken", async () => {
  const { code, output, rule } = await runPasted((model) => model);
  assertEquals(code, 1, output);
  assertStringIncludes(output, `"${rule}"`);
  assertStringIncludes(output, "0 passed | 1 failed");
});

test("formatTest() prints a test that passes when the model is mended, though the run is another one", async () => {
  const { code, output } = await runPasted((model) => {
    assertStringIncludes(model, BROKEN);
    return model.replace(BROKEN, MENDED);
  });
  assertEquals(code, 0, output);
  assertStringIncludes(output, "1 passed");
});

test("formatTest() prints what deno fmt and deno lint have nothing to say about", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/pasted_test.ts`, printed().text);
    for (const check of [["fmt", "--check"], ["lint"]]) {
      const args = [...check, `${directory}/pasted_test.ts`];
      const { code, output } = await runDeno(directory, args);
      assertEquals(code, 0, output);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
