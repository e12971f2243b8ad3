/**
 * What the environment says of a test that tries many cases.
 *
 * @module
 */

/**
 * A setting of a test.
 *
 * @param name The variable of the environment.
 * @returns Its value; undefined when there is none, or it must not be read.
 */
export function setting(name: string): string | undefined {
  const query = { name: "env", variable: name } as const;
  const { state } = Deno.permissions.querySync(query);
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/**
 * The seed of a test: `ENDIO_SEED`, or another one each time.
 *
 * @returns The seed.
 */
export function newSeed(): number {
  const given = Number(setting("ENDIO_SEED"));
  return Number.isInteger(given) ? given : Math.floor(Math.random() * 2 ** 31);
}

/**
 * Numbers that a seed repeats.
 *
 * @param seed The seed.
 * @returns What gives the next one, from 0 to below a limit.
 */
export function numbersOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = state + 0x9e3779b9 | 0;
    let mixed = Math.imul(state ^ state >>> 16, 0x21f0aaad);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
    return Math.floor(((mixed ^ mixed >>> 15) >>> 0) / 2 ** 32 * limit);
  };
}
