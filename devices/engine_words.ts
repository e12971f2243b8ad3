/**
 * Words of the structures that the kernel shares with us.
 *
 * @module
 */

const UINT32_RANGE = 2 ** 32;

/**
 * Writes 64 bits, low half first. Addresses and offsets are numbers below
 * 2^53: halves of 32 bits need no bigint, which would be an allocation for
 * each request.
 */
export function setUint64(
  words: Int32Array,
  index: number,
  value: number,
): void {
  words[index] = value | 0;
  words[index + 1] = value / UINT32_RANGE;
}

/** Reads 64 bits, low half first; they are below 2^53. */
export function getUint64(words: Int32Array, index: number): number {
  return (at(words, index) >>> 0) + at(words, index + 1) * UINT32_RANGE;
}

/** An element that must exist. */
export function at(array: Int32Array, index: number): number {
  const value = array[index];
  if (value === undefined) {
    throw new RangeError(`Cannot read element ${index} of ${array.length}`);
  }
  return value;
}
