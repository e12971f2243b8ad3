/**
 * The recordings that the tests use: all of them where they lie beside the
 * repository, else the few that it carries.
 *
 * @module
 */

import { LINE } from "../ftrace/line.ts";
import {
  compareOutcome,
  expectOutcome,
  type Outcome,
  parseOutcome,
} from "../ftrace/outcome.ts";
import { Recording } from "../ftrace/recording.ts";

const ALL = new URL("../../../shared/kernel-traces/", import.meta.url);
const FEW = new URL("recordings/", import.meta.url);

/** A recording. */
export interface RecordingFile {
  /** `CONFIG/SCENARIO`. */
  readonly name: string;
  /** Its lines, without their ends. */
  readonly lines: readonly string[];
  /** What user space saw. */
  readonly outcome: Outcome | null;
}

function isReadable(folder: URL): boolean {
  const query = { name: "read", path: folder } as const;
  if (Deno.permissions.querySync(query).state !== "granted") return false;
  try {
    return Deno.statSync(folder).isDirectory;
  } catch {
    return false;
  }
}

/** Why there are no recordings to test with, or an empty string. */
export const noRecordings: string = isReadable(FEW)
  ? ""
  : "needs --allow-read=tools/testdata";

/**
 * Reads the recordings.
 *
 * @param few Whether those that the repository carries are enough.
 * @returns All that are there, by name.
 */
export function readRecordings(few: boolean = false): RecordingFile[] {
  const root = !few && isReadable(ALL) ? ALL : FEW;
  const found: RecordingFile[] = [];
  for (const config of sorted(root)) {
    const folder = new URL(`${config}/`, root);
    if (!Deno.statSync(new URL(config, root)).isDirectory) continue;
    for (const file of sorted(folder)) {
      const scenario = /^(.*)\.trace$/.exec(file)?.[1];
      if (scenario === undefined) continue;
      const text = Deno.readTextFileSync(new URL(file, folder));
      const seen = Deno.readTextFileSync(new URL(`${scenario}.json`, folder));
      found.push({
        name: `${config}/${scenario}`,
        lines: text.trimEnd().split("\n"),
        outcome: parseOutcome(seen),
      });
    }
  }
  return found;
}

function sorted(folder: URL): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

const encoder = new TextEncoder();
const encoded: Map<string, Uint8Array> = new Map();

/** The bytes of a line; the same lines come again and again. */
function bytesOf(line: string): Uint8Array {
  let bytes = encoded.get(line);
  if (bytes === undefined) {
    bytes = encoder.encode(line);
    if (encoded.size < 200_000) encoded.set(line, bytes);
  }
  return bytes;
}

/**
 * Reads lines as a recording.
 *
 * @param lines The lines.
 * @param outcome What user space saw, or null.
 * @returns The recording, with what it breaks.
 */
export function recordingOf(
  lines: readonly string[],
  outcome: Outcome | null = null,
): Recording {
  const recording = new Recording();
  if (outcome) expectOutcome(recording, outcome);
  for (const line of lines) {
    const bytes = bytesOf(line);
    const kind = recording.push(bytes, 0, bytes.length);
    if (kind === LINE.note) recording.inventory.readComment(line);
  }
  if (outcome) compareOutcome(recording, outcome);
  return recording;
}
