// The tool on a file that grows, and with a reader that goes away.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { runScenario, scenarioById } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { encodeJsonl } from "./trace_jsonl.ts";

const TOOL = new URL("./trace.ts", import.meta.url);
const ROOT = new URL("../", import.meta.url);

const LINES = [
  ...encodeJsonl(
    { profile: "v3.12", fs: "ext4" },
    runScenario(
      MODELS.find(({ name }) => name === "ext4")!,
      scenarioById("aio-write-dsync"),
    ).events,
  ),
];
/** So long somebody waits for what should be there at once. */
const LIMIT_MS = 60_000;
/** Two events of a completion in the wrong order. */
const BROKEN = (() => {
  const at = LINES.findLastIndex((line) => line.includes('"aio_complete"'));
  return LINES.with(at, LINES[at - 1]!).with(at - 1, LINES[at]!);
})();

function whyNot(): string {
  const run = { name: "run", command: Deno.execPath() } as const;
  if (Deno.permissions.querySync(run).state !== "granted") {
    return "needs --allow-run";
  }
  const write = { name: "write", path: "/tmp" } as const;
  return Deno.permissions.querySync(write).state === "granted"
    ? ""
    : "needs --allow-write=/tmp";
}

const reason = whyNot();

function processTest(name: string, fn: () => Promise<void>): void {
  const suffix = reason === "" ? "" : ` [ignored: ${reason}]`;
  Deno.test({ name: name + suffix, ignore: reason !== "", fn });
}

function start(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", TOOL.pathname, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What a stream gives, piece by piece. */
class Reader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  text = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until a text has come. */
  async until(text: string): Promise<void> {
    const late = setTimeout(() => this.#reader.cancel(), LIMIT_MS);
    try {
      while (!this.text.includes(text)) {
        const { done, value } = await this.#reader.read();
        if (done) throw new Error(`Never came: ${text}, but ${this.text}`);
        this.text += value;
      }
    } finally {
      clearTimeout(late);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

async function growing(
  args: readonly string[],
  use: (
    append: (lines: readonly string[]) => Promise<void>,
    out: Reader,
  ) => Promise<void>,
): Promise<number> {
  const file = await Deno.makeTempFile({ dir: "/tmp" });
  try {
    const append = (lines: readonly string[]) =>
      Deno.writeTextFile(file, lines.join(""), { append: true });
    await append(BROKEN.slice(0, 3));
    const child = start(...args, "--follow", file);
    await child.stdin.close();
    await using out = new Reader(child.stdout);
    await using _errors = new Reader(child.stderr);
    try {
      await use(append, out);
    } finally {
      child.kill("SIGINT");
    }
    return (await child.status).code;
  } finally {
    await Deno.remove(file);
  }
}

processTest(
  "check --follow tells of a violation as soon as it is there",
  async () => {
    const code = await growing(["check"], async (append, out) => {
      await append(BROKEN.slice(3));
      await out.until("completion-order/");
    });
    assertEquals(code, 1);
  },
);

processTest("convert --follow writes events as they come", async () => {
  const code = await growing(
    ["convert", "--to", "jsonl"],
    async (append, out) => {
      await out.until(BROKEN[2]!);
      // The end of a line comes later than its beginning.
      await append([BROKEN[3]!.slice(0, 20)]);
      await append([BROKEN[3]!.slice(20)]);
      await out.until(BROKEN[3]!);
    },
  );
  assertEquals(code, 0);
});

processTest("stat --follow sums up when it is interrupted", async () => {
  const file = await Deno.makeTempFile({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(file, LINES.join(""));
    const child = start("stat", "--follow", file);
    await child.stdin.close();
    // It listens to the signal before it opens the file.
    while (!await hasOpen(child.pid, file));
    child.kill("SIGINT");
    const { code, stdout } = await child.output();
    assertEquals(code, 0);
    assertStringIncludes(new TextDecoder().decode(stdout), "ext4: ");
  } finally {
    await Deno.remove(file);
  }
});

/** Whether a process has a file open. */
async function hasOpen(pid: number, file: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for await (const { name } of Deno.readDir(folder)) {
    const target = await Deno.readLink(`${folder}/${name}`).catch(() => "");
    if (target === file) return true;
  }
  return false;
}

const QUIET: readonly (readonly string[])[] = [
  ["check", "--undecided", "-"],
  ["convert", "--to", "jsonl", "-"],
  ["convert", "--to", "html", "-"],
  ["stat", "--hist", "-"],
  ["list", "rules"],
  ["recipe"],
];

for (const args of QUIET) {
  processTest(`${args.join(" ")} is quiet when nobody reads it`, async () => {
    const child = start(...args);
    await child.stdout.cancel();
    const writer = child.stdin.getWriter();
    const text = new TextEncoder().encode(LINES.join(""));
    await writer.write(text).catch(() => {});
    await writer.close().catch(() => {});
    await using errors = new Reader(child.stderr);
    const { code } = await child.status;
    assertEquals([code, errors.text], [0, ""]);
  });
}
