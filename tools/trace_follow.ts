/**
 * Reading on until the user has had enough.
 *
 * @module
 */

/** Something that Ctrl-C ends. */
export interface Interruptible extends Disposable {
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * Takes Ctrl-C as the wish to come to an end, instead of ending at once.
 *
 * @returns What it ends; dispose of it in the end.
 */
export function interruptible(): Interruptible {
  const controller = new AbortController();
  const stop = () => controller.abort();
  Deno.addSignalListener("SIGINT", stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", stop),
  };
}
