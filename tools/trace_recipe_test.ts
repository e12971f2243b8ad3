import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fakeIo } from "./testdata/fake_io.ts";
import { trace } from "./trace.ts";
import { RECIPE_FILESYSTEMS } from "./trace_recipe.ts";

async function recipeOf(...args: string[]): Promise<string> {
  const io = fakeIo();
  assertEquals([await trace(["recipe", ...args], io), io.stderr()], [0, ""]);
  return io.stdout();
}

const canRun =
  Deno.permissions.querySync({ name: "run", command: "sh" }).state ===
    "granted";

Deno.test("recipe probes functions of the filesystem that is asked for", async () => {
  const ext4 = await recipeOf("--fs", "ext4");
  assertStringIncludes(ext4, "probe ext4_dio_write_end_io ");
  assert(!ext4.includes("xfs_"));
  const all = await recipeOf();
  assertStringIncludes(all, "probe ext4_dio_write_end_io ");
  assertStringIncludes(all, "probe xfs_dio_write_end_io ");
  assert(!/ext4_|xfs_|f2fs_/.test(await recipeOf("--fs", "blkdev")));
});

for (const fs of [...RECIPE_FILESYSTEMS, ""]) {
  Deno.test({
    name: `recipe ${fs} is a shell script, which says what it needs${
      canRun ? "" : " [ignored: needs --allow-run=sh]"
    }`,
    ignore: !canRun,
    async fn() {
      const script = await recipeOf(...fs === "" ? [] : ["--fs", fs]);
      assert(!/0x[0-9a-f]/.test(script), "no offset");
      const run = async (...args: string[]) => {
        const child = new Deno.Command("sh", {
          args,
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode(script));
        await writer.close();
        const { code, stderr } = await child.output();
        return [code, new TextDecoder().decode(stderr)] as const;
      };
      assertEquals(await run("-n"), [0, ""]);
      const [code, said] = await run("-s");
      assertEquals(code, 2);
      assertStringIncludes(said, "OUT COMMAND...");
    },
  });
}
