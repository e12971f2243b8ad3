/**
 * A project elsewhere that uses this package as it is here.
 *
 * @module
 */

/** The root of this repository. */
export const ROOT: URL = new URL("../../", import.meta.url);
/** Where projects are made. */
const DIRECTORY = "/tmp";

const NEEDED = [
  { name: "read", path: ROOT },
  { name: "write", path: DIRECTORY },
  { name: "run", command: Deno.execPath() },
] as const;

const missing = NEEDED
  .filter((need) => Deno.permissions.querySync(need).state !== "granted")
  .map(({ name }) => `--allow-${name}`);
const reason = missing.length > 0
  ? ` [ignored: needs ${missing.join(" ")}]`
  : "";

/** A test that makes a project, ignored where it may not. */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + reason, ignore: missing.length > 0, fn });
}

/** What a command came to. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs this same Deno, and collects what it says. */
export async function runDeno(
  cwd: string | URL,
  args: readonly string[],
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * The configuration of a project that uses this package as it is here. The
 * packages of JSR are those that this very test runs with, stand-ins or not.
 */
async function projectConfig(): Promise<string> {
  const text = await Deno.readTextFile(new URL("deno.json", ROOT));
  const { name, version, links, imports } = JSON.parse(text);
  const hasStandIns = import.meta.resolve("@std/testing/bdd")
    .startsWith("file:");
  const linked: string[] = ["./", ...(hasStandIns ? links : [])];
  return JSON.stringify({
    imports: {
      [name]: `jsr:${name}@^${version}`,
      "@std/assert": imports["@std/assert"],
    },
    links: linked.map((link) => new URL(link, ROOT).href),
  });
}

/** Runs `deno test` on a project of these files, by their names. */
export async function testProject(
  files: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const project = await Deno.makeTempDir({ dir: DIRECTORY });
  try {
    await Deno.writeTextFile(`${project}/deno.json`, await projectConfig());
    for (const [file, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${project}/${file}`, text);
    }
    return await runDeno(project, ["test", "--no-lock"]);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}
