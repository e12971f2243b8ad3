/**
 * Stand-in for `@std/testing/bdd`: `describe` and `it` for machines that
 * cannot reach JSR. As in the genuine one, a suite at the top is one
 * `Deno.test`, and what it holds are the steps of that test.
 *
 * Left out: suites passed on as handles (`it(suite, …)`), which this
 * repository does not use.
 *
 * @module
 */

import {
  addCase,
  addHook,
  addSuite,
  type Case,
  type HookName,
  type Hooks,
  type TestSuite,
} from "./suite.ts";

export type { TestSuite };

/** The function of a test case. */
export type ItFunction<T> = (
  this: T,
  t: Deno.TestContext,
) => void | Promise<void>;

/** A test case as one object. */
export interface ItDefinition<T> extends Omit<Deno.TestDefinition, "fn"> {
  /** The test itself. */
  fn: ItFunction<T>;
}

/** The ways to call {@linkcode it}. */
export type ItArgs<T> =
  | [name: string, fn: ItFunction<T>]
  | [
    name: string,
    options: Omit<ItDefinition<T>, "fn" | "name">,
    fn: ItFunction<T>,
  ]
  | [options: ItDefinition<T>];

/** A suite as one object. */
export interface DescribeDefinition<T>
  extends Omit<Deno.TestDefinition, "fn">, Partial<Hooks<T>> {
  /** Registers what the suite holds. */
  fn?: () => void | undefined;
}

/** The ways to call {@linkcode describe}. */
export type DescribeArgs<T> =
  | [name: string, fn: () => void | undefined]
  | [
    name: string,
    options: Omit<DescribeDefinition<T>, "fn" | "name">,
    fn: () => void | undefined,
  ]
  | [options: DescribeDefinition<T>];

/** {@linkcode it}, and its variants. */
export interface It {
  /** Registers a test case. */
  <T>(...args: ItArgs<T>): void;
  /** Registers a test case that keeps those beside it from running. */
  only<T>(...args: ItArgs<T>): void;
  /** Registers a test case that is not run. */
  ignore<T>(...args: ItArgs<T>): void;
  /** Registers a test case that is not run. */
  skip<T>(...args: ItArgs<T>): void;
}

/** Registers a test case. */
export const it: It = Object.assign(
  <T>(...args: ItArgs<T>) => registerCase(args, {}),
  {
    only: <T>(...args: ItArgs<T>) => registerCase(args, { only: true }),
    ignore: <T>(...args: ItArgs<T>) => registerCase(args, { ignore: true }),
    skip: <T>(...args: ItArgs<T>) => registerCase(args, { ignore: true }),
  },
);

/** {@linkcode describe}, and its variants. */
export interface Describe {
  /** Registers a suite. */
  <T>(...args: DescribeArgs<T>): TestSuite<T>;
  /** Registers a suite that keeps those beside it from running. */
  only<T>(...args: DescribeArgs<T>): TestSuite<T>;
  /** Registers a suite that is not run. */
  ignore<T>(...args: DescribeArgs<T>): TestSuite<T>;
  /** Registers a suite that is not run. */
  skip<T>(...args: DescribeArgs<T>): TestSuite<T>;
}

/** Registers a suite. */
export const describe: Describe = Object.assign(
  <T>(...args: DescribeArgs<T>) => registerSuite(args, {}),
  {
    only: <T>(...args: DescribeArgs<T>) => registerSuite(args, { only: true }),
    ignore: <T>(...args: DescribeArgs<T>) =>
      registerSuite(args, { ignore: true }),
    skip: <T>(...args: DescribeArgs<T>) =>
      registerSuite(args, { ignore: true }),
  },
);

type Variant = { only?: true; ignore?: true };

function registerCase<T>(args: ItArgs<T>, variant: Variant): void {
  addCase({ ...definitionOf(args), ...variant } as unknown as Case);
}

function registerSuite<T>(
  args: DescribeArgs<T>,
  variant: Variant,
): TestSuite<T> {
  return addSuite({ ...definitionOf(args), ...variant }) as TestSuite<T>;
}

/** A function that runs before or after tests. */
export type HookFunction<T> = (this: T) => void | Promise<void>;

/** Runs once, before the tests of the suite. */
export function beforeAll<T>(fn: HookFunction<T>): void {
  hook("beforeAll", fn);
}

/** Runs once, before the tests of the suite. */
export function before<T>(fn: HookFunction<T>): void {
  hook("beforeAll", fn);
}

/** Runs once, after the tests of the suite. */
export function afterAll<T>(fn: HookFunction<T>): void {
  hook("afterAll", fn);
}

/** Runs once, after the tests of the suite. */
export function after<T>(fn: HookFunction<T>): void {
  hook("afterAll", fn);
}

/** Runs before each test of the suite. */
export function beforeEach<T>(fn: HookFunction<T>): void {
  hook("beforeEach", fn);
}

/** Runs after each test of the suite. */
export function afterEach<T>(fn: HookFunction<T>): void {
  hook("afterEach", fn);
}

function hook<T>(name: HookName, fn: HookFunction<T>): void {
  addHook(name, fn as HookFunction<object>);
}

/** One shape for the ways to call `it` and `describe`. */
function definitionOf<F>(
  args:
    | [name: string, fn: F]
    | [name: string, options: object, fn: F]
    | [options: object],
): { name: string; fn: F } {
  const [first, second, third] = args as [unknown, unknown, unknown];
  if (typeof first !== "string") return { ...first as { name: string; fn: F } };
  return typeof second === "function"
    ? { name: first, fn: second as F }
    : { ...second as object, name: first, fn: third as F };
}
