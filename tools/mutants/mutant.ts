/**
 * Mutants: the core, a model, a device, a caller or a recorder with one
 * mistake, which the suite must find.
 *
 * @module
 */

import type { ConformanceOptions } from "../../conformance/mod.ts";
import type { ProfileName, TraceEvent } from "../../core/mod.ts";
import type { MemoryDevice, MemoryDeviceOptions } from "../../devices/mod.ts";
import { MODELS, type ModelSpec } from "../../fs_models/mod.ts";

/** One mistake. */
export interface Mutant {
  /** Its name. */
  readonly id: string;
  /** What is wrong, one clause. */
  readonly mistake: string;
  /** The rule that must find it. */
  readonly rule: string;
  /**
   * The historic bugs that it stands for, of whose classes the rule must be;
   * none for a mistake that nobody is known to have made.
   */
  readonly bugs: readonly string[];
  /**
   * Whose semantics make it a mistake.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /** The core with the mistake. */
  readonly directIo?: NonNullable<ConformanceOptions["directIo"]>;
  /** The model with the mistake; without it some shipped ones are tried. */
  readonly model?: ModelSpec;
  /** The device with the mistake. */
  readonly Device?: new (options: MemoryDeviceOptions) => MemoryDevice;
  /** What a recorder with the mistake makes of a trace. */
  readonly record?: (events: readonly TraceEvent[]) => TraceEvent[];
}

/** Models that together take every path of the core. */
const CORE_MODELS: ReadonlySet<string> = new Set(["plain", "ext4", "xfs"]);

/** The models that a mutant is tried on. */
export function modelsOf(
  { model }: Pick<Mutant, "model">,
): readonly ModelSpec[] {
  return model ? [model] : MODELS.filter(({ name }) => CORE_MODELS.has(name));
}
