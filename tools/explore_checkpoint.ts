/**
 * Writes down how far `explore.ts` is, and reads it again.
 *
 * The file is always whole: what is new is written beside it, and takes its
 * place only when it is on the disk.
 *
 * @module
 */

import type { ExploreQuery } from "../conformance/mod.ts";
import { fileError, UserError } from "./cli.ts";
import type { ExplorePlan } from "./explore_plan.ts";
import { newWork, type Work } from "./explore_pool.ts";

const VERSION = 1;

/** What is in the file. */
interface Checkpoint {
  /** Version of the file's shape. */
  readonly endio: number;
  /** What this is. */
  readonly checkpoint: "explore";
  /** What was to be done. */
  readonly plan: PlanKey;
  /** How far it was. */
  readonly work: Work;
}

/** What two plans have in common of which one can go on with the other. */
type PlanKey = Omit<ExploreQuery, "runs" | "seconds"> & {
  readonly scenarios: readonly string[];
  readonly isSmallOnly: boolean;
  readonly shard: string;
};

/**
 * Reads how far the work was.
 *
 * @param path The file.
 * @param plan What is to be done.
 * @returns The work; that which was not begun, if there is no such file.
 * @throws {UserError} If the file is of something else.
 */
export async function readCheckpoint(
  path: string,
  plan: ExplorePlan,
): Promise<Work> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return newWork(plan);
    throw permissionError(path, error) ?? fileError("read", path, error);
  }
  const found = parse(text);
  if (found === null) {
    throw new UserError(
      `Cannot resume from ${path}: it is no checkpoint of explore; name another file`,
    );
  }
  const key = keyOf(plan);
  for (const [name, value] of Object.entries(key)) {
    const other = found.plan[name as keyof PlanKey];
    if (JSON.stringify(other) === JSON.stringify(value)) continue;
    throw new UserError(
      `Cannot resume from ${path}: its ${name} ${
        Array.isArray(other) ? "are" : "is"
      } ${told(other)}, not ${told(value)}; name another file, or remove it`,
    );
  }
  return found.work;
}

function told(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value ?? "none");
}

function parse(text: string): Checkpoint | null {
  try {
    const value = JSON.parse(text);
    const isOurs = value?.checkpoint === "explore" && value.endio === VERSION &&
      Array.isArray(value.work?.scenarios) && typeof value.plan === "object";
    return isOurs ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function keyOf({ query, scenarios, isSmallOnly, shard }: ExplorePlan): PlanKey {
  const { runs: _, seconds: __, ...rest } = query;
  return {
    ...rest,
    scenarios: scenarios.map(({ id }) => id),
    isSmallOnly,
    shard: `${shard.index}/${shard.count}`,
  };
}

/**
 * Writes down how far the work is.
 *
 * @param path The file.
 * @param plan What is to be done.
 * @param work How far it is.
 */
export function writeCheckpoint(
  path: string,
  plan: ExplorePlan,
  work: Work,
): void {
  const checkpoint: Checkpoint = {
    endio: VERSION,
    checkpoint: "explore",
    plan: keyOf(plan),
    work,
  };
  const beside = `${path}.tmp`;
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(checkpoint)}\n`);
    {
      using file = Deno.openSync(beside, {
        write: true,
        create: true,
        truncate: true,
      });
      for (let at = 0; at < bytes.length;) {
        at += file.writeSync(bytes.subarray(at));
      }
      file.syncDataSync();
    }
    Deno.renameSync(beside, path);
  } catch (error) {
    throw permissionError(path, error) ?? fileError("write", path, error);
  }
}

function permissionError(path: string, error: unknown): UserError | null {
  if (!(error instanceof Deno.errors.NotCapable)) return null;
  const files = `${path},${path}.tmp`;
  return new UserError(
    `Cannot use checkpoint ${path}: Deno may not; add --allow-read=${files} --allow-write=${files}`,
  );
}
