/**
 * Stands something in for a method as long as a test wants it.
 *
 * @module
 */

/**
 * Replaces a method of an object, or of a prototype.
 *
 * @param target The object.
 * @param name The method.
 * @param make Makes the stand-in from the method itself.
 * @returns Undoes it when disposed of.
 */
export function patch<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): Disposable {
  const original = target[name];
  target[name] = make(original);
  return {
    [Symbol.dispose]() {
      target[name] = original;
    },
  };
}
