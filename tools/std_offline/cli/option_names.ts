/**
 * The names of options: which kind each is of, and what else it is called.
 *
 * @module
 */

/** Options sorted by kind, every alias included. */
export interface Names {
  /** Options without a value. */
  readonly boolean: ReadonlySet<string>;
  /** Whether every long option without `=` is boolean. */
  readonly allBoolean: boolean;
  /** Options with a text for a value. */
  readonly string: ReadonlySet<string>;
  /** Options that may be repeated. */
  readonly collect: ReadonlySet<string>;
  /** Options that can be negated. */
  readonly negatable: ReadonlySet<string>;
  /** The other names of an option. */
  aliasesOf(name: string): readonly string[];
  /** Whether an option was described at all. */
  isKnown(name: string): boolean;
}

type NameList = boolean | string | readonly string[] | undefined;

/** Reads the names out of the options of `parseArgs`. */
export function expandNames(options: {
  readonly alias?: { readonly [name: string]: string | readonly string[] };
  readonly boolean?: NameList;
  readonly string?: NameList;
  readonly collect?: NameList;
  readonly negatable?: NameList;
}): Names {
  const groups = new Map<string, readonly string[]>();
  for (const [name, aliases] of Object.entries(options.alias ?? {})) {
    const group = [name, aliases].flat();
    for (const member of group) {
      groups.set(member, group.filter((other) => other !== member));
    }
  }
  const aliasesOf = (name: string) => groups.get(name) ?? [];
  const expand = (list: NameList): Set<string> => {
    const given = typeof list === "boolean" ? [] : [list ?? []].flat();
    return new Set(given.flatMap((name) => [name, ...aliasesOf(name)]));
  };
  const boolean = expand(options.boolean);
  const string = expand(options.string);
  const collect = expand(options.collect);
  return {
    boolean,
    allBoolean: options.boolean === true,
    string,
    collect,
    negatable: expand(options.negatable),
    aliasesOf,
    isKnown: (name) =>
      [boolean, string, collect, groups].some((names) => names.has(name)),
  };
}

/** Sets an option, or adds to it if it collects. */
export function addOption(
  result: Record<string, unknown>,
  name: string,
  value: unknown,
  collect: boolean,
): void {
  if (name === "__proto__") return;
  const present = Object.hasOwn(result, name) ? result[name] : undefined;
  if (!collect) result[name] = value;
  else if (Array.isArray(present)) present.push(value);
  else result[name] = present ? [present, value] : [value];
}
