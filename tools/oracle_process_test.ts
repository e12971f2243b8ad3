// The oracle as a program of its own: its permissions, and what it leaves when
// it is interrupted.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { DirectFileDevice } from "../devices/mod.ts";

const TOOL = new URL("./oracle.ts", import.meta.url).pathname;

function skipReason(): string {
  for (const name of ["run", "read", "write", "sys", "ffi"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  return "";
}

const reason = skipReason();
const isRoot = reason === "" && Deno.uid() === 0;

/** Registers a test that has a directory of its own. */
function processTest(
  name: string,
  fn: (directory: string) => Promise<void>,
  unless: string = reason,
): void {
  Deno.test({
    name: name + (unless === "" ? "" : ` [skipped: ${unless}]`),
    ignore: unless !== "",
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        await fn(directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

function command(args: readonly string[], flags: readonly string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, TOOL, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
}

processTest("the oracle needs exactly the documented flags", async (dir) => {
  const args = ["--dir", dir, "--case", "holes", "--random", "1"];
  const flags = [
    DirectFileDevice.neededFfiFlag(),
    `--allow-read=${dir}`,
    `--allow-write=${dir}`,
    "--allow-sys=statfs,osRelease",
  ];
  const { code, stdout, stderr } = await command(args, flags).output();
  const decoder = new TextDecoder();
  assertEquals([code, decoder.decode(stderr)], [0, ""]);
  assertStringIncludes(decoder.decode(stdout), " 0 unexplained");
  for (const dropped of flags) {
    const rest = flags.filter((flag) => flag !== dropped);
    const { code, stderr } = await command(args, rest).output();
    const [name = ""] = dropped.split("=");
    const message = decoder.decode(stderr);
    assertEquals(code, 2, message);
    assertMatch(message, new RegExp(`^oracle.ts: .*; add ${name}=.*\n$`));
  }
});

/** Interrupts the oracle when it has begun, and gives its status. */
async function interrupt(
  signal: Deno.Signal,
  args: readonly string[],
): Promise<number> {
  const endless = [...args, "--random", "20000"];
  await using child = command(endless, ["--allow-all"]).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill(signal);
  reader.releaseLock();
  const { code } = await child.output();
  return code;
}

processTest("the oracle leaves nothing when it is interrupted", async (dir) => {
  assertEquals(await interrupt("SIGINT", ["--dir", dir]), 130);
  assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
  assertEquals(await interrupt("SIGTERM", ["--dir", dir]), 143);
  assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
});

processTest(
  "the oracle unmounts its loop image when it is interrupted",
  async (dir) => {
    const status = await interrupt("SIGINT", ["--dir", dir, "--loop", "ext4"]);
    // 2 on a machine without loop devices or without mkfs.
    assert(status === 130 || status === 2, `${status}`);
    assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
    const mounts = await Deno.readTextFile("/proc/self/mounts");
    assertEquals(mounts.includes(dir), false);
  },
  isRoot ? "" : reason || "needs root",
);
