import { assertEquals, assertLess } from "@std/assert";
import { engineTest, TemporaryFile } from "./testdata/temporary_file.ts";

const COUNTER = new URL("./testdata/descriptor_counter.ts", import.meta.url);

interface Count {
  readonly failed: number;
  readonly more: number;
  readonly left: readonly string[];
}

// Deno lets nobody read /proc/self/fd who may not do everything.
const mayAll = (["run", "ffi", "read", "write", "env", "net", "sys"] as const)
  .every((name) => Deno.permissions.querySync({ name }).state === "granted");

const NAME = "DirectFile leaks no descriptor";

async function leaksNothing(engine: string): Promise<void> {
  using file = new TemporaryFile(4096);
  using odd = new TemporaryFile(0);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", COUNTER.href, engine, file.path, odd.path],
  }).output();
  const decoder = new TextDecoder();
  assertEquals([code, decoder.decode(stderr)], [0, ""]);
  const { failed, more, left }: Count = JSON.parse(decoder.decode(stdout));
  assertEquals([failed, left], [1, []]);
  // Threads give theirs back a little later, and psync has many.
  if (engine !== "psync") assertLess(more, 10);
}

if (mayAll) engineTest(NAME, leaksNothing);
else {
  Deno.test({
    name: `${NAME} [skipped: needs --allow-all]`,
    ignore: true,
    fn: () => {},
  });
}
