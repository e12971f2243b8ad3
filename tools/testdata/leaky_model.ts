/**
 * A model with a mistake, for the tests of tools: it never frees a dio.
 *
 * @module
 */

import { type Dio, DirectIo } from "../../core/mod.ts";
import { type ModelSpec, PlainFilesystem } from "../../fs_models/mod.ts";

class LeakyDirectIo extends DirectIo {
  override dioFree(_dio: Dio): void {}
}

/** The model. */
export const LEAKY: ModelSpec = {
  name: "leaky",
  mount: (kernel, bdev) => new PlainFilesystem(kernel, bdev),
  directIo: (kernel) => new LeakyDirectIo(kernel),
};
