// What reaches a user of the package: the files that are published, and, in an
// empty project elsewhere that imports them by name, a suite that passes for a
// model of the user's own and fails for a broken one.
//
// `deno publish` must not take the stand-ins for modules of the package. It
// does not, because they lie in tools/, a member of the workspace with a name
// of its own; of such a member it neither ships nor misses anything.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** The user's project, in testdata/consumer/; the first file is the model. */
const MODEL_FILES = ["my_filesystem.ts", "my_filesystem_test.ts"] as const;

/** One line of the model, a mistake in its place, and the rule it breaks. */
const BREAK = {
  find: "bh.map(block, blocks * BLOCK);",
  replace: "bh.map(block + 1, blocks * BLOCK);",
  rule: "completion-order/reader-sees-data",
};

const ROOT = new URL("../", import.meta.url);
const TESTDATA = new URL("./testdata/consumer/", import.meta.url);
const DIRECTORY = "/tmp";

interface Outcome {
  readonly code: number;
  readonly output: string;
}

const NEEDED = [
  { name: "read", path: ROOT },
  { name: "write", path: DIRECTORY },
  { name: "run", command: Deno.execPath() },
] as const;

const missing = NEEDED
  .filter((need) => Deno.permissions.querySync(need).state !== "granted")
  .map(({ name }) => `--allow-${name}`);
const reason = missing.length > 0
  ? ` [ignored: needs ${missing.join(" ")}]`
  : "";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + reason, ignore: missing.length > 0, fn });
}

/** Runs this same Deno, and collects what it says. */
async function runDeno(
  cwd: string | URL,
  args: readonly string[],
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * The configuration of a project that uses this package as it is here. The
 * packages of JSR are those that this very test runs with, stand-ins or not.
 */
async function projectConfig(): Promise<string> {
  const text = await Deno.readTextFile(new URL("deno.json", ROOT));
  const { name, version, links } = JSON.parse(text);
  const hasStandIns = import.meta.resolve("@std/testing/bdd")
    .startsWith("file:");
  const linked: string[] = ["./", ...(hasStandIns ? links : [])];
  return JSON.stringify({
    imports: { [name]: `jsr:${name}@^${version}` },
    links: linked.map((link) => new URL(link, ROOT).href),
  });
}

/** Runs `deno test` on the user's project, its model edited before. */
async function testProject(edit: (model: string) => string): Promise<Outcome> {
  const project = await Deno.makeTempDir({ dir: DIRECTORY });
  try {
    await Deno.writeTextFile(`${project}/deno.json`, await projectConfig());
    for (const file of MODEL_FILES) {
      const text = await Deno.readTextFile(new URL(file, TESTDATA));
      const edited = file === MODEL_FILES[0] ? edit(text) : text;
      await Deno.writeTextFile(`${project}/${file}`, edited);
    }
    return await runDeno(project, ["test", "--no-lock"]);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

test("a user's model of under 60 lines passes the suite", async () => {
  const { code, output } = await testProject((model) => {
    assert(model.trimEnd().split("\n").length < 60);
    return model;
  });
  assertEquals(code, 0, output);
});

test(`a user's model with a mistake breaks ${BREAK.rule}`, async () => {
  const { code, output } = await testProject((model) => {
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
