import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { scenarioById } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { demo } from "./demo.ts";
import { countWrong, runOnFile } from "./demo_file.ts";
import { fakeIo } from "./testdata/fake_io.ts";

const EXT4 = MODELS.find(({ name }) => name === "ext4")!;

Deno.test("the demo ends well, whatever the machine lacks", async () => {
  const io = fakeIo();
  assertEquals([await demo([], io), io.stderr()], [0, ""]);
  const text = io.stdout();
  for (const { name } of MODELS) assertStringIncludes(text, name);
  assertStringIncludes(text, "✓ no rule broken");
  assertStringIncludes(text, "┃ queue_work wq=dio/sda ───▶│");
  assertStringIncludes(text, "╰ a truncate may go on");
  assertEquals(text.includes("✗"), false);
  for (const line of text.split("\n")) {
    if (!line.includes("skipped:")) assertEquals(line.slice(100), "", line);
  }
});

Deno.test("the demo takes no arguments", async () => {
  await assertRejects(() => demo(["x"], fakeIo()), UserError);
});

Deno.test("runOnFile() says in one line what it lacks", () => {
  const scenario = scenarioById("aio-write");
  const result = runOnFile(EXT4, scenario, "/no/such/directory");
  assertEquals(typeof result, "string");
  assertEquals(String(result).includes("\n"), false);
});

Deno.test("countWrong() compares with what was written last", () => {
  const { report } = { report: {} as never };
  const written = [
    { at: 1, bytes: Uint8Array.of(1, 2) },
    { at: 2, bytes: Uint8Array.of(3) },
  ];
  const right = { report, written, content: Uint8Array.of(0, 1, 3) };
  assertEquals(countWrong(right), 0);
  assertEquals(countWrong({ ...right, content: Uint8Array.of(0, 1, 2) }), 1);
});
