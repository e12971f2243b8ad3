/**
 * Stand-in for `@std/cli/parse-args`: command lines, parsed as minimist does.
 *
 * Left out: names with dots, which the genuine parser nests.
 *
 * @module
 */

import { addOption, expandNames, type Names } from "./option_names.ts";

/** Names that go together: one or several aliases for a name. */
export type Aliases = { [name: string]: string | readonly string[] };

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  B extends boolean | string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends object = object,
  A extends Aliases = Aliases,
  DD extends boolean = boolean,
> {
  /** Whether what follows `--` is kept apart, under `"--"`. */
  "--"?: DD;
  /** Other names of an option. */
  alias?: A;
  /** Options that take no value; `true` for all without `=`. */
  boolean?: B | readonly Extract<B, string>[];
  /** Values of options that are not given. */
  default?: D;
  /** Whether everything after the first non-option is left as it is. */
  stopEarly?: boolean;
  /** Options whose value is never read as a number. */
  string?: S | readonly S[];
  /** Options that may be given more than once. */
  collect?: C | readonly C[];
  /** Options that `--no-` in front sets to `false`. */
  negatable?: N | readonly N[];
  /** Is told of each unknown argument; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Scalar<K, B, S> = K extends S ? string : K extends B ? boolean : unknown;

type Value<K, B, S, C, N> =
  | (K extends C ? Scalar<K, B, S>[] : Scalar<K, B, S>)
  | (K extends N ? (K extends B ? never : false) : never);

type AliasesOf<K, A> = K extends keyof A
  ? A[K] extends readonly (infer Name extends string)[] ? Name
  : A[K] extends string ? A[K]
  : never
  : never;

type Named<K extends string, A> = K | AliasesOf<K, A>;

type Known<B extends string, S extends string, C extends string, N, D, A> =
  & Record<string, unknown>
  & {
    [K in B | C as Named<Exclude<K, keyof D>, A>]: Value<K, B, S, C, N>;
  }
  & {
    [K in Exclude<S, C> as Named<Exclude<K, keyof D>, A>]?: Value<
      K,
      B,
      S,
      C,
      N
    >;
  }
  & {
    [K in keyof D as K extends string ? Named<K, A> : never]: K extends
      B | S | C ? D[K] | Value<K, B, S, C, N> : unknown;
  };

/** What {@linkcode parseArgs} found. */
export type Args<
  // deno-lint-ignore no-explicit-any -- options nobody described.
  T extends Record<string, unknown> = Record<string, any>,
  DD extends boolean = false,
> =
  & T
  & { _: (string | number)[] }
  & (DD extends true ? { "--": string[] } : unknown);

/** Parses a command line into options and, under `_`, the rest. */
export function parseArgs<
  B extends boolean | string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends object = Record<never, never>,
  const A extends Aliases = Record<never, never>,
  DD extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<B, S, C, N, D, A, DD> = {},
): Args<
  // deno-lint-ignore no-explicit-any -- options nobody described.
  [Extract<B, string> | S | C] extends [never] ? Record<string, any>
    : Known<Extract<B, string>, S, C, N, D, A>,
  DD
> {
  const end = args.indexOf("--");
  const before = end === -1 ? args : args.slice(0, end);
  const after = end === -1 ? [] : args.slice(end + 1);
  const names = expandNames(options);
  const result: Args<Record<string, unknown>, true> = { _: [], "--": after };
  const parser = new Parser(before, names, result, options.unknown);
  parser.parse(options.stopEarly ?? false);
  addDefaults(result, names, options.default ?? {});
  if (!options["--"]) {
    result._.push(...after);
    delete (result as { "--"?: string[] })["--"];
  }
  // deno-lint-ignore no-explicit-any -- typed by the options, not the code.
  return result as any;
}

function addDefaults(
  result: Record<string, unknown>,
  names: Names,
  defaults: object,
): void {
  for (const [key, value] of Object.entries(defaults)) {
    if (Object.hasOwn(result, key)) continue;
    for (const name of [key, ...names.aliasesOf(key)]) result[name] = value;
  }
  for (const key of names.boolean) {
    if (Object.hasOwn(result, key)) continue;
    result[key] = names.collect.has(key) ? [] : false;
  }
  for (const key of names.string) {
    if (names.collect.has(key) && !Object.hasOwn(result, key)) {
      result[key] = [];
    }
  }
}

type Unknown = (arg: string, key?: string, value?: unknown) => unknown;

class Parser {
  readonly #args: readonly string[];
  readonly #names: Names;
  readonly #result: Record<string, unknown> & { _: (string | number)[] };
  readonly #unknown: Unknown | undefined;
  #at = 0;

  constructor(
    args: readonly string[],
    names: Names,
    result: Record<string, unknown> & { _: (string | number)[] },
    unknown: Unknown | undefined,
  ) {
    this.#args = args;
    this.#names = names;
    this.#result = result;
    this.#unknown = unknown;
  }

  parse(stopEarly: boolean): void {
    while (this.#at < this.#args.length) {
      const arg = this.#args[this.#at++]!;
      if (/^--./s.test(arg)) this.#long(arg);
      else if (/^-[^-]/s.test(arg)) this.#short(arg);
      else {
        this.#positional(arg);
        if (!stopEarly) continue;
        this.#result._.push(...this.#args.slice(this.#at));
        return;
      }
    }
  }

  #positional(arg: string): void {
    if (this.#unknown?.(arg) === false) return;
    this.#result._.push(
      this.#names.string.has("_") ? arg : numberOrText(arg),
    );
  }

  /** `--key`, `--key=value`, `--key value`, `--no-key`. */
  #long(arg: string): void {
    const { no, key, value } =
      /^--(?<no>no-(?=[^=]))?(?<key>.[^=]*)(?:=(?<value>.*))?$/s.exec(arg)!
        .groups!;
    if (value !== undefined) {
      this.#set(
        key!,
        this.#names.boolean.has(key!) ? value !== "false" : value,
        arg,
      );
    } else if (no && this.#names.negatable.has(key!)) {
      this.#set(key!, false, arg, false);
    } else {
      const name = `${no ?? ""}${key}`;
      const next = this.#args[this.#at];
      const takesNext = !this.#names.allBoolean && next !== undefined &&
        !next.startsWith("-");
      this.#setFromNext(name, arg, takesNext);
    }
  }

  /** `-k`, `-k value`, `-k5`, `-k=value`, and several letters at once. */
  #short(arg: string): void {
    for (let i = 1; i < arg.length - 1; i++) {
      const letter = arg[i]!;
      const rest = arg.slice(i + 1);
      if (rest === "-") {
        this.#set(letter, rest, arg);
        continue;
      }
      const value = attachedValue(letter, rest);
      if (value !== undefined) {
        this.#set(letter, value, arg);
        return;
      }
      this.#set(letter, this.#names.string.has(letter) ? "" : true, arg);
    }
    const last = arg.at(-1)!;
    if (last === "-") return;
    const next = this.#args[this.#at];
    const takesNext = next !== undefined && !/^--?[^-]/.test(next);
    this.#setFromNext(last, arg, takesNext);
  }

  #setFromNext(key: string, arg: string, takesNext: boolean): void {
    const next = this.#args[this.#at];
    if (next && takesNext && !this.#names.boolean.has(key)) {
      this.#at++;
      this.#set(key, next, arg);
    } else if (next === "true" || next === "false") {
      this.#at++;
      this.#set(key, next === "true", arg);
    } else {
      this.#set(key, this.#names.string.has(key) ? "" : true, arg);
    }
  }

  #set(
    key: string,
    value: string | boolean,
    arg: string,
    collect = true,
  ): void {
    const names = this.#names;
    const known = names.isKnown(key) ||
      names.allBoolean && /^--[^=]+$/.test(arg);
    if (!known && this.#unknown?.(arg, key, value) === false) return;
    const typed = typeof value === "string" && !names.string.has(key)
      ? numberOrText(value)
      : value;
    for (const name of [key, ...names.aliasesOf(key)]) {
      addOption(this.#result, name, typed, collect && names.collect.has(key));
    }
  }
}

/** The value written onto a short option, if there is one. */
function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "=") return "";
  if (/[A-Za-z]/.test(letter)) {
    const assigned = /=(.+)/.exec(rest)?.[1];
    if (assigned !== undefined) return assigned;
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  return rest.length > 1 && /^\W/.test(rest) ? rest : undefined;
}

function numberOrText(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}
