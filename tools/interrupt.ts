/**
 * What a program leaves behind when it is interrupted: nothing.
 *
 * @module
 */

/** The signals that end a program, and their numbers. */
const SIGNALS = [["SIGINT", 2], ["SIGTERM", 15]] as const;

/** What a shell adds to the number of the signal that has ended a program. */
const EXIT_SIGNAL = 128;

/**
 * Cleans up when the program is interrupted, and ends it then.
 *
 * @param cleanUp What to do. Of several, only the first that was registered is
 * done.
 * @returns What to dispose of when that is not needed any more.
 */
export function onInterrupt(cleanUp: () => void): Disposable {
  const stack = new DisposableStack();
  for (const [signal, number] of SIGNALS) {
    const stop = () => {
      cleanUp();
      Deno.exit(EXIT_SIGNAL + number);
    };
    Deno.addSignalListener(signal, stop);
    stack.defer(() => Deno.removeSignalListener(signal, stop));
  }
  return stack;
}
