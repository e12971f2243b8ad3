import { assertEquals, assertGreater, assertMatch } from "@std/assert";

const MODULE = new URL("../devices/mod.ts", import.meta.url);
const CHILD = new URL("./testdata/demo_file_child.ts", import.meta.url);
const CONFIG = new URL("../deno.json", import.meta.url);

/** The C libraries that the documentation names. */
function namedPaths(): string[] {
  const text = Deno.readTextFileSync(MODULE);
  return [...text.matchAll(/`--allow-ffi=([^`]+)`/g)]
    .map(([, path = ""]) => path);
}

/** Those of them that are here. */
function documentedPaths(): string[] {
  return namedPaths().filter((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

function skipReason(): string {
  for (const name of ["run", "read", "write"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  return documentedPaths().length === 0 ? "no C library that is known" : "";
}

const reason = skipReason();

/** Runs the demo's part on a real file with flags, none of them implied. */
async function runChild(
  flags: readonly string[],
  directory: string,
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--config=${CONFIG.pathname}`,
      ...flags,
      CHILD.pathname,
      directory,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test({
  name: "the demo's part on a real file needs exactly the documented flags" +
    (reason === "" ? "" : ` [skipped: ${reason}]`),
  ignore: reason !== "",
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const [path = ""] = documentedPaths();
      const flags = [
        `--allow-ffi=${path}`,
        `--allow-read=${directory}`,
        `--allow-write=${directory}`,
      ];
      assertEquals(await runChild(flags, directory), "true 0 0\n");
      for (const dropped of flags) {
        const rest = flags.filter((flag) => flag !== dropped);
        const output = await runChild(rest, directory);
        const [name = ""] = dropped.split("=");
        assertMatch(output, new RegExp(`^.*; add ${name}=.*\n$`), dropped);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "a documented C library that is here works, whichever it is" +
    (reason === "" ? "" : ` [skipped: ${reason}]`),
  ignore: reason !== "",
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const paths = documentedPaths();
      assertGreater(paths.length, 0);
      for (const path of paths) {
        // A process of glibc must not call musl.
        if (path.includes("musl") !== (Deno.build.env === "musl")) continue;
        const flags = [
          `--allow-ffi=${path}`,
          `--allow-read=${directory}`,
          `--allow-write=${directory}`,
        ];
        assertEquals(await runChild(flags, directory), "true 0 0\n", path);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "the tasks that use a real file name every documented C library" +
    (reason === "" ? "" : ` [skipped: ${reason}]`),
  ignore: reason !== "",
  fn() {
    const { tasks } = JSON.parse(Deno.readTextFileSync(CONFIG));
    for (const { command } of [tasks.demo, tasks.bench]) {
      const [, paths = ""] = /--allow-ffi=(\S+)/.exec(command) ?? [];
      assertEquals(paths.split(","), namedPaths());
    }
  },
});
