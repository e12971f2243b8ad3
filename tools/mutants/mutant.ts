/**
 * Mutants: the core or a model with one mistake, which the suite must find.
 *
 * @module
 */

import type { ConformanceOptions } from "../../conformance/mod.ts";
import type { ProfileName } from "../../core/mod.ts";
import { MODELS, type ModelSpec } from "../../fs_models/mod.ts";

/** One mistake. */
export interface Mutant {
  /** Its name. */
  readonly id: string;
  /** What is wrong, one clause. */
  readonly mistake: string;
  /** The rule that must find it. */
  readonly rule: string;
  /** The historic bugs that it stands for. */
  readonly bugs: readonly string[];
  /**
   * Whose semantics make it a mistake.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /** The core with the mistake. */
  readonly directIo?: NonNullable<ConformanceOptions["directIo"]>;
  /** The model with the mistake; without it every shipped one is tried. */
  readonly model?: ModelSpec;
}

/** The models that a mutant is tried on. */
export function modelsOf(
  { model }: Pick<Mutant, "model">,
): readonly ModelSpec[] {
  return model ? [model] : MODELS;
}
