/**
 * endio: a conformance kit for the completion side of Linux direct I/O.
 *
 * The simulated kernel is in `@endio/dio/core`, block devices in
 * `@endio/dio/devices`, filesystem models in `@endio/dio/fs-models`, and the
 * suite that a model is checked with in `@endio/dio/conformance`. This module
 * gives all of them.
 *
 * @module
 */

export * from "./core/mod.ts";
export * from "./devices/mod.ts";
export * from "./fs_models/mod.ts";
export * from "./conformance/mod.ts";
