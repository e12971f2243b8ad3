/**
 * Loads a module of the models with another source: it, and whatever imports
 * it, become modules of their own beside the real ones.
 *
 * @module
 */

const FS_MODELS = new URL("../../fs_models/", import.meta.url);
const IMPORT = /(from\s+)"(\.[^"]+)"/g;

/** A change to the source of one file. */
export interface SourceChange {
  /** The file, beside `fs_models/mod.ts`. */
  readonly file: string;
  /** Gives the source that takes its place. */
  readonly change: (source: string) => string;
}

/** Sources that have been read. */
const sources: Map<string, Promise<string>> = new Map();

/**
 * Reads the source of a model.
 *
 * @param file The file, beside `fs_models/mod.ts`.
 * @returns Its source.
 */
export function sourceOf(file: string): Promise<string> {
  let source = sources.get(file);
  if (source === undefined) {
    source = Deno.readTextFile(new URL(file, FS_MODELS));
    sources.set(file, source);
  }
  return source;
}

/**
 * Loads a model with a change.
 *
 * @param entry The file that has the class of the model.
 * @param change What is changed, in that file or in one that it imports.
 * @returns What the file exports.
 */
export async function loadChanged(
  entry: string,
  change: SourceChange,
): Promise<Record<string, unknown>> {
  const urls: string[] = [];
  const url = await linkChanged(entry, change, new Map(), urls);
  try {
    return await import(url);
  } finally {
    for (const url of urls) URL.revokeObjectURL(url);
  }
}

/** The address of a module: of the real one, if it does not meet the change. */
async function linkChanged(
  file: string,
  change: SourceChange,
  known: Map<string, string>,
  made: string[],
): Promise<string> {
  const found = known.get(file);
  if (found !== undefined) return found;
  const real = new URL(file, FS_MODELS).href;
  known.set(file, real);
  const source = await sourceOf(file);
  let isChanged = file === change.file;
  const links: Map<string, string> = new Map();
  for (const [, , specifier = ""] of source.matchAll(IMPORT)) {
    const target = new URL(specifier, real).href;
    const isModel = target.startsWith(FS_MODELS.href);
    const link = isModel
      ? await linkChanged(
        target.slice(FS_MODELS.href.length),
        change,
        known,
        made,
      )
      : target;
    if (link !== target) isChanged = true;
    links.set(specifier, link);
  }
  if (!isChanged) return real;
  const changed = file === change.file ? change.change(source) : source;
  const text = changed.replaceAll(
    IMPORT,
    (_, from, specifier) => `${from}"${links.get(specifier)}"`,
  );
  const type = "application/typescript";
  const url = URL.createObjectURL(new Blob([text], { type }));
  made.push(url);
  known.set(file, url);
  return url;
}
