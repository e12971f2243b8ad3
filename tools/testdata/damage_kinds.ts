/**
 * How a recording is damaged: lines are removed, doubled, moved or changed.
 *
 * @module
 */

/** The lines of a recording. */
export type Lines = readonly string[];

/** A kind of damage: every way to do it to a recording. */
export interface Damage {
  /** What it does. */
  readonly name: string;
  /** The damaged recordings; each is made when it is asked for. */
  readonly apply: (lines: Lines) => Iterable<() => Lines>;
}

/** A line that is an event: what is before its time, its time, the rest. */
export const EVENT: RegExp = /^(\s*.*?-\d+\s+\[\d+\] \S+\s+)(\d+\.\d+): (.*)$/;

/**
 * The lines of probes.
 *
 * @param names Their names; patterns.
 * @returns What such lines match.
 */
export function of(...names: readonly string[]): RegExp {
  return new RegExp(`: (?:${names.join("|")}): `);
}

/**
 * Gives the lines of a moved or copied event the times of their places.
 *
 * @param before The lines as they were.
 * @param after The lines as they are now.
 * @returns These with the times of those.
 */
export function retimed(before: Lines, after: Lines): Lines {
  const times = before.map((line) => EVENT.exec(line)?.[2])
    .filter((time) => time !== undefined);
  let next = 0;
  return after.map((line) => {
    const match = EVENT.exec(line);
    if (match === null) return line;
    const time = times[Math.min(next++, times.length - 1)];
    return `${match[1]}${time}: ${match[3]}`;
  });
}

/**
 * Moves a line.
 *
 * @param lines The lines.
 * @param from Its place.
 * @param to Its place afterwards.
 * @returns The lines, with the times of their places.
 */
export function moved(lines: Lines, from: number, to: number): Lines {
  const rest = lines.toSpliced(from, 1);
  return retimed(lines, rest.toSpliced(to, 0, lines[from] as string));
}

/**
 * Where lines are.
 *
 * @param lines All lines.
 * @param which What they match.
 * @returns Their places.
 */
export function placesOf(lines: Lines, which: RegExp): number[] {
  return lines.flatMap((line, at) => which.test(line) ? [at] : []);
}

/** Where lines are of which none was taken out of the recording before. */
function countedPlaces(lines: Lines, which: RegExp): number[] {
  const thinned = lines.find((line) => line.startsWith("# TRIMMED")) ?? "";
  return placesOf(lines, which).filter((at) => {
    const [, name = ""] = /: (\w+): /.exec(lines[at] as string) ?? [];
    return !thinned.includes(` ${name} `);
  });
}

/**
 * Damage that removes one line.
 *
 * @param name What the line is.
 * @param which What it matches.
 * @returns The damage.
 */
export function removed(name: string, which: RegExp): Damage {
  return {
    name: `remove ${name}`,
    *apply(lines) {
      for (const at of countedPlaces(lines, which)) {
        yield () => lines.toSpliced(at, 1);
      }
    },
  };
}

/**
 * Damage that puts a line in twice.
 *
 * @param name What the line is.
 * @param which What it matches.
 * @returns The damage.
 */
export function doubled(name: string, which: RegExp): Damage {
  return {
    name: `second ${name}`,
    *apply(lines) {
      for (const at of countedPlaces(lines, which)) {
        const line = lines[at] as string;
        yield () => retimed(lines, lines.toSpliced(at, 0, line));
      }
    },
  };
}

/** What replaces a match and its groups. */
export type Edit = (...groups: string[]) => string;

/**
 * Damage that changes one line.
 *
 * @param name What is changed.
 * @param which What the line matches.
 * @param what What is replaced in it.
 * @param edit By what.
 * @returns The damage.
 */
export function changed(
  name: string,
  which: RegExp,
  what: RegExp,
  edit: Edit,
): Damage {
  return {
    name: `change ${name}`,
    *apply(lines) {
      for (const at of placesOf(lines, which)) {
        const line = lines[at] as string;
        const other = line.replace(what, (...groups) => edit(...groups));
        if (other !== line) yield () => lines.with(at, other);
      }
    },
  };
}

/**
 * Adds to a number, of `(name)=(number)`.
 *
 * @param by What is added.
 * @returns The edit.
 */
export const plus = (by: number): Edit => (_, name, value) =>
  `${name}=${Number(value) + by}`;

/**
 * Changes an address, of `(name)=(address)` without its last digits.
 *
 * @returns The address of something else.
 */
export const elsewhere: Edit = (_, name, addr) => `${name}=${addr}eee`;

/**
 * Damage that moves a line behind the first of others that follow it.
 *
 * @param name What it does.
 * @param which What the line matches.
 * @param behind What the others match.
 * @returns The damage.
 */
export function later(name: string, which: RegExp, behind: RegExp): Damage {
  return {
    name,
    *apply(lines) {
      for (const at of placesOf(lines, which)) {
        const to = lines.findIndex((line, i) => i > at && behind.test(line));
        if (to > 0) yield () => moved(lines, at, to);
      }
    },
  };
}

/**
 * Damage that swaps two lines.
 *
 * @param name What it does.
 * @param pairs The places of two.
 * @returns The damage.
 */
export function swapped(
  name: string,
  pairs: (lines: Lines) => Iterable<readonly [number, number]>,
): Damage {
  return {
    name,
    *apply(lines) {
      for (const [a, b] of pairs(lines)) {
        const [first, second] = [lines[a] as string, lines[b] as string];
        yield () => retimed(lines, lines.with(a, second).with(b, first));
      }
    },
  };
}
