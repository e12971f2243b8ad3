/**
 * Deep equality, as the assertions understand it: structure and prototype
 * count, identity does not; `0` equals `-0` and `NaN` equals `NaN`.
 *
 * @module
 */

/** Types whose text says all there is to compare. */
const COMPARED_AS_TEXT = [RegExp, URL, URLSearchParams];

/** Whether two values are deeply equal. */
export function equal(a: unknown, b: unknown): boolean {
  return sameDeep(a, b, new Map());
}

function sameDeep(
  a: unknown,
  b: unknown,
  seen: Map<object, object>,
): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || !samePrototype(a, b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    const kind = a instanceof WeakMap ? "WeakMap" : "WeakSet";
    throw new TypeError(`Cannot compare ${kind} instances`);
  }
  if (a instanceof Date) {
    return Object.is(a.getTime(), (b as Date).getTime());
  }
  if (COMPARED_AS_TEXT.some((type) => a instanceof type)) {
    return String(a) === String(b);
  }
  const bytes = bytesOf(a);
  if (bytes) return sameElements(bytes, bytesOf(b)!);
  if (ArrayBuffer.isView(a)) {
    return sameElements(
      a as unknown as ArrayLike<unknown>,
      b as unknown as ArrayLike<unknown>,
    );
  }
  // A cycle is equal to a cycle that has come back to the same pair.
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Set) return sameSet(a, b as Set<unknown>, seen);
  if (a instanceof Map) return sameMap(a, b as Map<unknown, unknown>, seen);
  return sameProperties(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function samePrototype(a: object, b: object): boolean {
  const [ofA, ofB] = [a, b].map((object) =>
    Object.getPrototypeOf(object) ?? Object.prototype
  );
  return ofA === ofB;
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof DataView) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
    ? new Uint8Array(value)
    : undefined;
}

function sameElements(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

function sameSet(
  a: Set<unknown>,
  b: Set<unknown>,
  seen: Map<object, object>,
): boolean {
  if (a.size !== b.size) return false;
  return [...a].every((item) =>
    b.has(item) ||
    isObject(item) && [...b].some((other) => sameDeep(item, other, seen))
  );
}

function sameMap(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  seen: Map<object, object>,
): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, value]) => {
    if (b.has(key)) return sameDeep(value, b.get(key), seen);
    return isObject(key) &&
      [...b].some(([otherKey, other]) =>
        sameDeep(key, otherKey, seen) && sameDeep(value, other, seen)
      );
  });
}

function sameProperties(
  a: object,
  b: object,
  seen: Map<object, object>,
): boolean {
  const keys = comparedKeys(a);
  if (keys.size !== comparedKeys(b).size) return false;
  for (const key of keys) {
    if (!(key in b)) return false;
    if (!sameDeep(Reflect.get(a, key), Reflect.get(b, key), seen)) {
      return false;
    }
  }
  return true;
}

/** Own keys, and for instances of a class the getters of that class too. */
function comparedKeys(object: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>();
  let at: object | null = object;
  while (at && at !== Object.prototype && at !== Array.prototype) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
    at = Object.getPrototypeOf(at);
  }
  return keys;
}
