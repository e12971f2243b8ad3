import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DeviceOpenError } from "./device_error.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { EPERM } from "./errno_text.ts";
import { Libc } from "./libc.ts";
import { PsyncQueue } from "./psync_queue.ts";
import { patch } from "./testdata/patch.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

const SIZE = 1 << 20;

/** Lets the system refuse the engines that are named. */
function refuse(...engines: readonly string[]): Disposable {
  const stack = new DisposableStack();
  const libc = Libc.prototype;
  if (engines.includes("io_uring")) {
    stack.use(patch(libc, "ioUringSetup", () => () => -EPERM));
  }
  if (engines.includes("libaio")) {
    stack.use(patch(libc, "ioSetup", () => () => -EPERM));
  }
  if (engines.includes("psync")) {
    stack.use(patch(PsyncQueue.prototype, "waitForThread", () => () => false));
  }
  return stack;
}

for (
  const [refused, chosen] of [
    [["io_uring"], "libaio"],
    [["io_uring", "libaio"], "psync"],
  ] as const
) {
  fileTest(`chooseQueue() takes ${chosen} without ${refused}`, () => {
    using file = new TemporaryFile(SIZE);
    using _ = refuse(...refused);
    using engine = DirectFileEngine.open(file.path);
    assertEquals(engine.kind, chosen);
    const [uring] = engine.verdicts;
    assertEquals(engine.verdicts.map(({ engine }) => engine), [
      "io_uring",
      "libaio",
      "psync",
    ]);
    assertEquals(
      engine.verdicts.filter(({ isChosen }) => isChosen).map((v) => v.engine),
      [chosen],
    );
    assertMatch(uring?.reason ?? "", /set kernel\.io_uring_disabled to 0/);
  });
}

fileTest("chooseQueue() says why it did not need the others", () => {
  using file = new TemporaryFile(SIZE);
  using auto = DirectFileEngine.open(file.path);
  const last = auto.verdicts.at(-1);
  assertEquals(last, {
    engine: "psync",
    isChosen: false,
    reason: `not needed, because ${auto.kind} works`,
  });
  using asked = DirectFileEngine.open(file.path, { engine: "libaio" });
  assertEquals(asked.kind, "libaio");
  assertEquals(asked.verdicts.map(({ reason }) => reason), [
    "not asked for",
    "asked for",
    "not asked for",
  ]);
});

fileTest("chooseQueue() does not go round an engine that is asked for", () => {
  using file = new TemporaryFile(SIZE);
  for (const engine of ["io_uring", "libaio", "psync"] as const) {
    using _ = refuse(engine);
    const { message } = assertThrows(
      () => DirectFileEngine.open(file.path, { engine }),
      DeviceOpenError,
      `Cannot open ${file.path}: no ${engine}: `,
    );
    assertEquals(message.match(/no \w+: /g)?.length, 1);
    assertEquals(message.includes("\n"), false);
  }
});

fileTest("chooseQueue() names every reason when there is no engine", () => {
  using file = new TemporaryFile(SIZE);
  using _ = refuse("io_uring", "libaio", "psync");
  const { message } = assertThrows(
    () => DirectFileEngine.open(file.path),
    DeviceOpenError,
  );
  assertMatch(message, /no io_uring: .*; no libaio: .*; no psync: /);
});
