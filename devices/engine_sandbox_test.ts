// What becomes of the engines where the system forbids them: a real kernel
// refuses, told to do so by a filter of seccomp.

import { assertEquals, assertMatch } from "@std/assert";
import { LIBC_ABI, SYS_io_uring_setup } from "./libc_abi.ts";
import { libcCandidates } from "./libc_path.ts";
import { fileTestIf, TemporaryFile } from "./testdata/temporary_file.ts";

const CHILD = new URL("./testdata/forbidden_calls.ts", import.meta.url);
const [EPERM, ENOSYS] = [1, 38];

const { SYS_io_setup = 0n } = LIBC_ABI[Deno.build.arch] ?? {};
const command = Deno.execPath();
const mayRun =
  Deno.permissions.querySync({ name: "run", command }).state === "granted";

/** Opens a file without some system calls; gives the lines about it. */
async function openWithout(
  calls: readonly bigint[],
  errno: number,
  engine: string,
): Promise<string[]> {
  using file = new TemporaryFile(4096);
  const { stdout, stderr } = await new Deno.Command(command, {
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      `--allow-ffi=${libcCandidates().join(",")}`,
      CHILD.href,
      file.path,
      engine,
      `${errno}`,
      ...calls.map(String),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  return decoder.decode(stdout).trimEnd().split("\n");
}

function sandboxTest(name: string, fn: () => Promise<void>): void {
  fileTestIf(mayRun, "--allow-run", name, fn);
}

sandboxTest("auto goes on without io_uring, and says why", async () => {
  const found = await openWithout([SYS_io_uring_setup], EPERM, "auto");
  assertEquals(found, [
    "libaio 4096",
    "io_uring: the system forbids io_uring; set kernel.io_uring_disabled to " +
    "0 with sysctl, or allow io_uring_setup in the seccomp profile",
    "libaio: best that works here",
    "psync: not needed, because libaio works",
  ]);
});

sandboxTest(
  "auto goes on with threads when there is nothing else",
  async () => {
    const calls = [SYS_io_uring_setup, SYS_io_setup];
    const [first, uring, aio, psync] = await openWithout(calls, ENOSYS, "auto");
    assertEquals(first, "psync 4096");
    assertMatch(
      uring ?? "",
      /^io_uring: this kernel or sandbox has no io_uring;/,
    );
    assertMatch(aio ?? "", /^libaio: this kernel or sandbox has no AIO;/);
    assertEquals(psync, "psync: best that works here");
  },
);

sandboxTest(
  "an engine that is asked for, and forbidden, is an error of one line",
  async () => {
    const found = await openWithout([SYS_io_uring_setup], EPERM, "io_uring");
    assertEquals(found.length, 1);
    assertMatch(
      found[0] ?? "",
      /^Cannot open \/tmp\/.*: no io_uring: the system forbids io_uring; set /,
    );
  },
);
