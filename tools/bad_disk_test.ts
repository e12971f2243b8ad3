// What the tools say about a disk that they cannot use: one line, and the exit
// status 2.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { DeviceError, DirectFileDevice } from "../devices/mod.ts";
import { deviceBenchmark } from "./bench/device.ts";
import { guarded, type Tool } from "./cli.ts";
import { oracle } from "./oracle.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { record } from "./trace_record.ts";

const SCENARIO = ["--fs", "ext4", "--scenario", "aio-write"];

function skipReason(): string {
  for (const name of ["run", "read", "write", "sys"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  const path = Deno.makeTempFileSync();
  try {
    Deno.truncateSync(path, 1 << 20);
    using _ = DirectFileDevice.open(path);
    return "";
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  } finally {
    Deno.removeSync(path);
  }
}

const reason = skipReason();

/** A filesystem in memory, which only root can mount. */
class Mount implements Disposable {
  readonly directory: string = Deno.makeTempDirSync();

  constructor(type: string, options: string) {
    mount("mount", "-t", type, "-o", options, "endio", this.directory);
  }

  [Symbol.dispose](): void {
    mount("umount", this.directory);
    Deno.removeSync(this.directory);
  }
}

function mount(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

function whyNoMount(): string {
  if (reason !== "") return reason;
  try {
    using _ = new Mount("tmpfs", "size=64k");
    return "";
  } catch (error) {
    return (error as Error).message.replace(/\n.*/s, "");
  }
}

const noMount = whyNoMount();

function diskTest(name: string, unless: string, fn: () => Promise<void>): void {
  const suffix = unless === "" ? "" : ` [skipped: ${unless}]`;
  Deno.test({ name: name + suffix, ignore: unless !== "", fn });
}

/** Checks that a tool says what it should, in one line, and ends with 2. */
async function assertRefuses(
  tool: Tool,
  args: readonly string[],
  part: string,
): Promise<void> {
  const io = fakeIo();
  const status = await guarded("tool", tool, args, io);
  assertEquals([status, io.stderr().split("\n").length], [2, 2], io.stderr());
  assertStringIncludes(io.stderr(), part);
}

diskTest("trace.ts says what is wrong with a device", reason, async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/file`;
    await Deno.writeFile(path, new Uint8Array(2 << 20));
    await Deno.truncate(path, (1 << 20) + 100);
    await Deno.writeFile(`${directory}/empty`, new Uint8Array());
    for (
      const [device, part] of [
        [`${directory}/none`, "no such file; create it first"],
        [directory, "it is a directory; name a file or a block device"],
        ["/dev/null", "it is neither a regular file nor a block device"],
        ["/proc/version", "the filesystem has no O_DIRECT"],
        ["/sys/kernel/uevent_seqnum", "permission denied; run as a user"],
        [path, "is not a multiple of the logical block size"],
        [`${directory}/empty`, "it is empty; give it a size"],
        [`${path}/x`, "not a directory"],
      ] as const
    ) {
      await assertRefuses(record, [...SCENARIO, "--device", device], part);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

diskTest(
  "every tool says that a filesystem has no O_DIRECT",
  noMount,
  async () => {
    using ramfs = new Mount("ramfs", "mode=700");
    const { directory } = ramfs;
    await Deno.writeFile(`${directory}/file`, new Uint8Array(1 << 20));
    const device = ["--device", `${directory}/file`];
    const dir = ["--dir", directory];
    const part = "the filesystem has no O_DIRECT";
    await assertRefuses(record, [...SCENARIO, ...device], part);
    await assertRefuses(oracle, dir, part);
    await assertRefuses(deviceBenchmark, [...dir, "--size", "1"], part);
    const left = await Array.fromAsync(Deno.readDir(directory));
    assertEquals(left.map(({ name }) => name), ["file"]);
  },
);

diskTest("every tool says that a disk is full", noMount, async () => {
  using tmpfs = new Mount("tmpfs", "size=8k");
  const { directory } = tmpfs;
  const path = `${directory}/file`;
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, 1 << 20);
  await Deno.writeFile(`${directory}/rest`, new Uint8Array(8192));
  const dir = ["--dir", directory];
  const device = ["--device", path];
  await assertRefuses(record, [...SCENARIO, ...device], "its disk is full");
  await assertRefuses(oracle, dir, "ENOSPC");
  const small = [...dir, "--size", "1"];
  await assertRefuses(deviceBenchmark, small, "no space left on device");
  const left = await Array.fromAsync(Deno.readDir(directory));
  assertEquals(left.map(({ name }) => name).sort(), ["file", "rest"]);
});
