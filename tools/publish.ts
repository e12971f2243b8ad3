/**
 * Publishes the package, or tries to with `--dry-run`.
 *
 * Inside the repository, `deno publish` takes the stand-ins that `links` name
 * for modules of this package. So the files to publish are laid out in a
 * folder of their own, with a deno.json that has no links; in a dry run, which
 * must work where JSR is out of reach, the links lead out of that folder.
 *
 * ```sh
 * deno run --allow-read --allow-write --allow-run=deno \
 *   tools/publish.ts [--dry-run] [OPTION…]
 * ```
 *
 * Further options go to `deno publish`, whose exit status is this one's.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

interface Config {
  readonly links: readonly string[];
  readonly publish: { readonly include: readonly string[] };
}

async function main(args: readonly string[]): Promise<number> {
  const config: Config = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const folder = new URL(`file://${await Deno.makeTempDir()}/`);
  try {
    const root = new URL("package/", folder);
    for (const path of config.publish.include) await copy(path, root);
    const links = args.includes("--dry-run") ? config.links : [];
    for (const path of links) await copy(path, folder);
    await Deno.writeTextFile(
      new URL("deno.json", root),
      JSON.stringify({ ...config, links: links.map(fromPackage) }, null, 2),
    );
    return await publish(root, args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A link as it reads from the folder of the package. */
function fromPackage(link: string): string {
  return link.replace(/^\.\//, "../");
}

/** Copies a file or a folder to the same place below another root. */
async function copy(path: string, to: URL): Promise<void> {
  const from = new URL(path, ROOT);
  const target = new URL(path, to);
  if (!(await Deno.stat(from)).isDirectory) {
    await Deno.mkdir(new URL("./", target), { recursive: true });
    await Deno.copyFile(from, target);
    return;
  }
  const folder = path.replace(/\/*$/, "/");
  for await (const entry of Deno.readDir(from)) {
    await copy(`${folder}${entry.name}`, to);
  }
}

async function publish(root: URL, args: readonly string[]): Promise<number> {
  // The folder is in no git tree, so there is nothing to be dirty.
  const { code } = await new Deno.Command("deno", {
    args: ["publish", "--allow-dirty", ...args],
    cwd: root,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
