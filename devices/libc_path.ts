/**
 * Where the C library lies, and which of those places Deno may load.
 *
 * A scoped `--allow-ffi=PATH` is compared with the text of the path after
 * normalisation: symbolic links are not followed, and a bare name such as
 * `libc.so.6` is taken relative to the working directory. So the places are
 * tried by their full names, and the bare name only when nothing is scoped.
 *
 * @module
 */

/** Names that the dynamic linker resolves itself; they need unscoped ffi. */
const BARE_NAME = "libc.so.6";

// Images of Deno for Alpine bring a glibc along, in /usr/local/lib.
const CANDIDATES: Readonly<Record<string, readonly string[]>> = {
  x86_64: [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/usr/local/lib/libc.so.6",
    "/lib/ld-musl-x86_64.so.1",
  ],
  aarch64: [
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/usr/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/usr/local/lib/libc.so.6",
    "/lib/ld-musl-aarch64.so.1",
  ],
};

/**
 * The full names under which a C library may lie on this architecture. Only the
 * kind that Deno itself uses comes into question: a process of glibc must not
 * call musl, whose thread data lies elsewhere.
 */
export function libcCandidates(
  arch: string = Deno.build.arch,
  env: string | undefined = Deno.build.env,
): string[] {
  const paths = CANDIDATES[arch] ?? [];
  return paths.filter((path) => path.includes("musl") === (env === "musl"));
}

/**
 * The names that Deno may load without asking, best first. Not all of them
 * exist: only loading tells, because looking needs a permission of its own.
 */
export function permittedLibcPaths(): string[] {
  const paths = libcCandidates().filter((path) => isFfiGranted(path));
  return isFfiGranted() ? [BARE_NAME, ...paths] : paths;
}

/**
 * The flag that would let Deno load the C library. It names the one path when
 * Deno may look for it, else all that come into question: Deno does not mind
 * paths that do not exist.
 */
export function neededFfiFlag(): string {
  const paths = libcCandidates();
  const found = paths.find((path) => isKnownFile(path));
  return `--allow-ffi=${found ?? paths.join(",")}`;
}

function isFfiGranted(path?: string): boolean {
  const descriptor = path === undefined
    ? { name: "ffi" } as const
    : { name: "ffi", path } as const;
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function isKnownFile(path: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "read", path });
  if (state !== "granted") return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
