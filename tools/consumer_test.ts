// What reaches a user of the package: the files that are published, and, in an
// empty project elsewhere that imports them by name, a suite that passes for a
// model of the user's own and fails for a broken one.
//
// `deno publish` must not take the stand-ins for modules of the package. It
// does not, because they lie in tools/, a member of the workspace with a name
// of its own; of such a member it neither ships nor misses anything.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Outcome,
  ROOT,
  runDeno,
  test,
  testProject,
} from "./testdata/project.ts";

/** The user's project, in testdata/consumer/; the first file is the model. */
const MODEL_FILES = ["my_filesystem.ts", "my_filesystem_test.ts"] as const;

/** One line of the model, a mistake in its place, and the rule it breaks. */
const BREAK = {
  find: "bh.map(block, blocks * BLOCK);",
  replace: "bh.map(block + 1, blocks * BLOCK);",
  rule: "completion-order/reader-sees-data",
};

const TESTDATA = new URL("./testdata/consumer/", import.meta.url);

/** Runs `deno test` on the user's project, its model edited before. */
async function testModel(edit: (model: string) => string): Promise<Outcome> {
  const files: Record<string, string> = {};
  for (const file of MODEL_FILES) {
    const text = await Deno.readTextFile(new URL(file, TESTDATA));
    files[file] = file === MODEL_FILES[0] ? edit(text) : text;
  }
  return await testProject(files);
}

test("a user's model of under 60 lines passes the suite", async () => {
  const { code, output } = await testModel((model) => {
    assert(model.trimEnd().split("\n").length < 60);
    return model;
  });
  assertEquals(code, 0, output);
});

test(`a user's model with a mistake breaks ${BREAK.rule}`, async () => {
  const { code, output } = await testModel((model) => {
    assertEquals(model.split(BREAK.find).length, 2, BREAK.find);
    return model.replace(BREAK.find, BREAK.replace);
  });
  assertEquals(code, 1, output);
  // The names of tests hold ids of rules too, but no colon follows them there.
  assertStringIncludes(output, `${BREAK.rule}: `);
});

test("deno publish ships neither tests nor stand-ins", async () => {
  const { code, output } = await runDeno(ROOT, [
    "publish",
    "--dry-run",
    "--allow-dirty",
  ]);
  assertEquals(code, 0, output);
  const files = [...output.matchAll(/^ *(file:\S+) \(/gm)]
    .map(([, file]) => file!.slice(ROOT.href.length));
  assert(files.includes("conformance/mod.ts"), output);
  const strays = files.filter((file) =>
    /^tools\/|_(?:test|bench)\.ts$|\/testdata\//.test(file)
  );
  assertEquals(strays, []);
});
