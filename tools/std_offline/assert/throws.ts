/**
 * Assertions that a function throws, or that its promise rejects.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { AssertionError, ending } from "./assertion_error.ts";

/** A class of errors, abstract or not. */
export type ErrorClass<E extends Error> =
  // deno-lint-ignore no-explicit-any -- any constructor will do.
  abstract new (...args: any[]) => E;

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that a function throws an error of a class, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const wanted = wantedError(classOrMsg, msgIncludes, msg);
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    checkError(error, wanted, "thrown");
    return thrown;
  }
  throw new AssertionError(`Expected function to throw${ending(wanted.msg)}`);
}

/** Asserts that a promise rejects, and returns the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that a promise rejects with an error of a class; returns it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const wanted = wantedError(classOrMsg, msgIncludes, msg);
  const promise = promiseOf(fn, wanted.msg);
  try {
    await promise;
  } catch (error) {
    checkError(error, wanted, "rejected");
    return error;
  }
  throw new AssertionError(`Expected function to reject${ending(wanted.msg)}`);
}

interface WantedError {
  readonly errorClass: ErrorClass<Error> | undefined;
  readonly includes: string | undefined;
  readonly msg: string | undefined;
}

function wantedError(
  classOrMsg: ErrorClass<Error> | string | undefined,
  includes: string | undefined,
  msg: string | undefined,
): WantedError {
  return typeof classOrMsg === "string"
    ? { errorClass: undefined, includes: undefined, msg: classOrMsg }
    : { errorClass: classOrMsg, includes, msg };
}

function promiseOf(
  fn: () => PromiseLike<unknown>,
  msg: string | undefined,
): PromiseLike<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below: a function that throws has given no promise either.
  }
  if (typeof promise?.then === "function") return promise;
  throw new AssertionError(
    `Function throws when expected to reject${ending(msg)}`,
  );
}

function checkError(
  error: unknown,
  wanted: WantedError,
  how: "thrown" | "rejected",
): void {
  const { errorClass, includes, msg } = wanted;
  if (!errorClass) return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${how}${ending(msg)}`);
  }
  if (!(error instanceof errorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${errorClass.name}", but was "${
        (error as Error).constructor?.name
      }"${ending(msg)}`,
    );
  }
  if (includes === undefined) return;
  const [text, part] = [error.message, includes].map(stripVTControlCharacters);
  if (text!.includes(part!)) return;
  throw new AssertionError(
    `Expected error message to include ${JSON.stringify(includes)}, but got ${
      JSON.stringify(error.message)
    }${ending(msg)}`,
  );
}
