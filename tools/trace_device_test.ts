import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DeviceError, DirectFileDevice } from "../devices/mod.ts";
import { UserError } from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { record } from "./trace_record.ts";

const DIRECTORY = "/tmp";
const SIZE = 1 << 20;

/** A file that goes away by itself. */
class TemporaryFile implements Disposable {
  readonly #directory: string = Deno.makeTempDirSync({ dir: DIRECTORY });
  readonly path: string = `${this.#directory}/disk.img`;

  constructor(content: Uint8Array) {
    Deno.writeFileSync(this.path, content);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

function skipReason(): string {
  for (const name of ["read", "write"] as const) {
    const query = { name, path: DIRECTORY } as const;
    if (Deno.permissions.querySync(query).state !== "granted") {
      return `needs --allow-${name}=${DIRECTORY}`;
    }
  }
  try {
    using file = new TemporaryFile(new Uint8Array(SIZE));
    using _ = DirectFileDevice.open(file.path);
    return "";
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  }
}

const reason = skipReason();

function fileTest(name: string, fn: () => Promise<void>): void {
  const suffix = reason === "" ? "" : ` [ignored: ${reason}]`;
  Deno.test({ name: name + suffix, ignore: reason !== "", fn });
}

function argsFor(path: string, ...more: string[]): string[] {
  const scenario = ["--fs", "ext4", "--scenario", "aio-write-unwritten"];
  return [...scenario, "--device", path, ...more];
}

fileTest(
  "record --device runs on a real file, and says no schedule",
  async () => {
    using file = new TemporaryFile(new Uint8Array(SIZE));
    const io = fakeIo();
    assertEquals([await record(argsFor(file.path), io), io.stderr()], [0, ""]);
    const [header] = io.stdout().split("\n");
    assertEquals(JSON.parse(header!), {
      endio: 1,
      profile: "v3.12",
      fs: "ext4",
      scenario: "aio-write-unwritten",
      clock: "monotonic",
    });
    assertStringIncludes(io.stdout(), '"ev":"io_submit"');
    assertStringIncludes(io.stdout(), '"ctx":"hardirq"');
    const written = (await Deno.readFile(file.path)).subarray(0, 4096);
    assertEquals(written.includes(0), false);
  },
);

fileTest("record --device gives events the time that has passed", async () => {
  using file = new TemporaryFile(new Uint8Array(SIZE));
  const io = fakeIo();
  const start = performance.now();
  assertEquals(await record(argsFor(file.path), io), 0);
  const limitNs = (performance.now() - start) * 1e6;
  const times = io.stdout().trimEnd().split("\n").slice(1)
    .map((line): number => JSON.parse(line).ts);
  assertEquals(times, times.toSorted((a, b) => a - b));
  assert(times.every(Number.isSafeInteger));
  const lastNs = times.at(-1) ?? 0;
  // Virtual time would have gone on by some hundred nanoseconds.
  assert(lastNs > 10_000 && lastNs < limitNs, `${lastNs} of ${limitNs} ns`);
});

fileTest("record --device overwrites data only with --force", async () => {
  const content = new Uint8Array(SIZE);
  content[SIZE - 1] = 1;
  using file = new TemporaryFile(content);
  const error = await assertRejects(
    () => record(argsFor(file.path), fakeIo()),
    UserError,
  );
  assertStringIncludes(error.message, "it holds data");
  assertEquals(await Deno.readFile(file.path), content);
  assertEquals(await record(argsFor(file.path, "--force"), fakeIo()), 0);
  assertEquals((await Deno.readFile(file.path))[SIZE - 1], 0);
});

fileTest("record --device says what is wrong with a file", async () => {
  using file = new TemporaryFile(new Uint8Array(SIZE / 2));
  const small = await assertRejects(
    () => record(argsFor(file.path), fakeIo()),
    UserError,
  );
  assertStringIncludes(small.message, `it has ${SIZE / 2} bytes`);
  const none = await assertRejects(
    () => record(argsFor(`${file.path}.none`), fakeIo()),
    UserError,
  );
  assertStringIncludes(none.message, "no such file");
});
