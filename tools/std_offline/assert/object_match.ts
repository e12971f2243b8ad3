/**
 * The assertion that an object has at least given properties.
 *
 * @module
 */

import { assertEquals } from "./equality.ts";

/** Asserts that an object has the expected properties, at every depth. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- the genuine signature.
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(
    common(actual, expected, new WeakMap()),
    common(expected, expected, new WeakMap()),
    msg,
  );
}

/** The part of a value that its counterpart speaks of. */
function common(
  value: unknown,
  counterpart: unknown,
  seen: WeakMap<object, unknown>,
): unknown {
  if (!isContainer(value) || !isContainer(counterpart)) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value) && Array.isArray(counterpart)) {
    const items: unknown[] = [];
    seen.set(value, items);
    const length = Math.min(value.length, counterpart.length);
    for (let i = 0; i < length; i++) {
      items.push(common(value[i], counterpart[i], seen));
    }
    return items;
  }
  if (value instanceof Set && counterpart instanceof Set) {
    return value.intersection(counterpart);
  }
  if (value instanceof Map && counterpart instanceof Map) {
    const entries = [...value].filter(([key]) => counterpart.has(key));
    return new Map(entries.map((
      [key, item],
    ) => [key, common(item, counterpart.get(key), seen)]));
  }
  return commonProperties(value, counterpart, seen);
}

function commonProperties(
  value: object,
  counterpart: object,
  seen: WeakMap<object, unknown>,
): object {
  const keys = Reflect.ownKeys(value);
  const named = keys.filter((key) => Object.hasOwn(counterpart, key));
  const result: Record<PropertyKey, unknown> = {};
  seen.set(value, result);
  // With nothing in common, a failure shows the whole object.
  for (const key of named.length > 0 ? named : keys) {
    result[key] = common(
      Reflect.get(value, key),
      Reflect.get(counterpart, key),
      seen,
    );
  }
  return result;
}

/** Whether a value is compared part by part rather than as one thing. */
function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !(value instanceof Date) && !(value instanceof RegExp);
}
