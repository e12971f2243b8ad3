/**
 * Recordings as other people would have made them: with a part of the probes,
 * on other kernels and filesystems.
 *
 * @module
 */

import { recipeProbes } from "../trace_recipe.ts";
import type { Lines } from "./damage_kinds.ts";

/** Another recording of the same. */
export interface Variant {
  /** What is different. */
  readonly name: string;
  /** Makes it. */
  readonly make: (lines: Lines) => Lines;
  /** Recordings from which it would take what alone tells of a probe. */
  readonly except?: RegExp;
}

const NAME = / \d+\.\d+: ([\w.]+): /;
const INNER =
  /^(?:dio|iomap)_(?:inode_dio_\w+|set_defer_\w+|ref_get\d|\w+_ref_drop|end_\w+_wake_waiter|end_aio_DEFER|end_io_QUEUE_WORK|call_\w+|end_io_returned|(?:dio_)?free)$/;
const RETURN = /_ret$/;
const AIO = /^(?:aio_submit_one(?:_ret)?|aio_complete(?:_rw)?)$/;
const FEW =
  /^(?:dio_complete|iomap_dio_complete|aio_complete_rw|bio_endio|submit_bio|aio_submit_one)$/;

function nameOf(line: string): string {
  return NAME.exec(line)?.[1] ?? "";
}

/** A synchronous write of a block device has no return but one. */
const ONE_RETURN = /^blkdev\w*\/sync_\w*dsync$/;

/** Without the lines of some probes. */
function without(
  name: string,
  isGone: (probe: string) => boolean,
  except?: RegExp,
): Variant {
  return {
    name: `without ${name}`,
    ...except && { except },
    make: (lines) =>
      lines.filter((line) => line.startsWith("#") || !isGone(nameOf(line))),
  };
}

/** Each line is another. */
function edited(name: string, edit: (line: string) => string): Variant {
  return {
    name,
    make: (lines) =>
      lines.map((line) => line.startsWith("#") ? line : edit(line)),
  };
}

const EVENT = /^\s*(.*)-(\d+)\s+\[(\d+)\] (\S+)\s+(\d+\.\d+): (\w+): (.*)$/;

/** As `perf script` prints them: no context, and addresses for symbols. */
const PERF: Variant = {
  name: "as perf script prints them",
  make: (lines) =>
    lines.flatMap((line) => {
      const match = EVENT.exec(line);
      if (match === null || match[6] === "tracing_mark_write") return [];
      const [, comm = "", pid = "", cpu, , time = "", name = "", args] = match;
      const group = /^(?:workqueue|block)(?=_)/.exec(name)?.[0] ?? "probe";
      const told = args?.replace(
        /^\([^)]*\)/,
        (place) => place.includes("<-") ? "(ffff81 <- ffff82)" : "(ffff81)",
      ).replaceAll("ffff8", "ffffffff8123456");
      const event = `${group}:${name.replace(/_ret$/, "__return")}:`;
      return `${comm.padStart(16)} ${pid.padStart(7)} [${cpu}] ${
        time.padStart(12)
      }: ${event.padStart(40)} ${told}`;
    }),
};

/** As `trace-cmd report` prints them. */
const TRACE_CMD: Variant = {
  name: "as trace-cmd report prints them",
  make: (lines) => [
    "cpus=2",
    ...lines.flatMap((line) => {
      const match = EVENT.exec(line);
      if (match === null) return line.startsWith("#") ? [] : line;
      const [, comm = "", pid, cpu, flags, time, name, args] = match;
      const event = name === "tracing_mark_write" ? "print:" : `${name}:`;
      const what = name === "tracing_mark_write" ? `${name}: ${args}` : args;
      return `${comm.padStart(16)}-${pid?.padEnd(5)} [${cpu}] ${flags} ${
        time?.padStart(12)
      }: ${event.padEnd(20)} ${what}`;
    }),
  ],
};

/** What takes over from the filesystem is known by nobody. */
const UNKNOWN_PATH: Variant = {
  name: "of a filesystem with a direct I/O of its own",
  make: (lines) =>
    lines.filter((line) =>
      AIO.test(nameOf(line)) || line.includes("tracing_mark_write")
    ).map((line) =>
      line.replace(/caller=\S+/, "caller=nfs_direct_complete+0x80/0x90")
    ),
};

const KPROBE =
  /^(.*\d: )\w+: (\((?:.* <- )?(\w+)(?:\+0x0\/0x\w+)?(?: \[\w+\])?\))(.*)$/;

/** What the script of `trace.ts recipe` would have recorded. */
function asRecipe(lines: Lines): Lines {
  const probes = new Map(recipeProbes().map((spec) => [spec[0], spec]));
  const kept = lines.flatMap((line) => {
    const [, before, place = "", fn = "", args = ""] = KPROBE.exec(line) ?? [];
    if (before === undefined) {
      return /: (?:workqueue|block)_/.test(line) ? line : [];
    }
    const [, told, hasReturn] = probes.get(fn) ?? ["", "", false];
    const isReturn = place.includes("<-");
    if (!probes.has(fn) || isReturn && !hasReturn) return [];
    const names = isReturn ? "ret=" : told;
    const left = args.split(" ").filter((arg) =>
      arg !== "" && names.includes(`${arg.split("=")[0]}=`)
    );
    const name = isReturn ? `${fn}_ret` : fn;
    return [[`${before}${name}: ${place}`, ...left].join(" ")];
  });
  const names = [...probes].flatMap(([name, [, , hasReturn]]) =>
    hasReturn ? [name, `${name}_ret`] : [name]
  );
  return [`# endio probes: ${names.join(" ")}`, ...kept];
}

/** Who submits by io_uring is told of by other functions. */
const IO_URING: Variant = {
  name: "of requests that io_uring submits",
  make: (lines) =>
    lines.filter((line) =>
      !/: (?:aio_submit_one|aio_submit_one_ret|aio_complete|tracing_mark_write): /
        .test(line)
    ).map((line) => line.replaceAll("aio_complete_rw", "io_complete_rw")),
};

/** A filesystem that submits other bios than those that iomap hands it. */
const OTHER_BIOS = edited(
  "of a filesystem below iomap that submits bios of its own",
  (line) =>
    line.replace(/dops=(?:\w+_dio_write_ops|0x0)/, "dops=btrfs_dio_ops")
      .replace(
        /( submit_bio: .*)bio=0xff11(.*)end_io=iomap_dio_bio_end_io/,
        "$1bio=0xff22$2end_io=btrfs_simple_end_io",
      ),
);

/** Every variant, none of which breaks a rule. */
export const VARIANTS: readonly Variant[] = [
  without("probes inside functions", (probe) => INNER.test(probe)),
  without("probes at returns", (probe) => RETURN.test(probe), ONE_RETURN),
  without(
    "both",
    (probe) => INNER.test(probe) || RETURN.test(probe),
    ONE_RETURN,
  ),
  without("tracepoints of workqueues", (probe) => /^workqueue_/.test(probe)),
  without(
    "functions of filesystems",
    (probe) => /^(?:ext4|xfs|ocfs2|jfs|fat)_/.test(probe),
  ),
  without("marks", (probe) => probe === "tracing_mark_write"),
  without("all but six probes", (probe) => !FEW.test(probe)),
  without(
    "all but tracepoints",
    (probe) => !/^(?:workqueue|block)_/.test(probe),
  ),
  edited(
    "without arguments",
    (line) => line.replace(/(: \w+: \([^)]*\)).*/, "$1"),
  ),
  edited(
    "without callers",
    (line) => line.replace(/ caller=\S+(?: \[\w+\])?/, ""),
  ),
  edited(
    "of another filesystem",
    (line) =>
      line.replaceAll(/\b(?:ext4|xfs|ocfs2|jfs|fat)_/g, "zz_fs_")
        .replaceAll(/ \[(?:ext4|xfs|ocfs2|jfs|fat)\]/g, " [zz]"),
  ),
  edited(
    "whose bios end in softirqs",
    (line) => line.replace(/\] .(.)[hH](\S\S) /, "] .$1s$2 "),
  ),
  edited(
    "of a kernel that does not show disabled migration",
    (line) => line.replace(/(\[\d{3}\] )(\S{4})\S( +\d+\.)/, "$1$2$3"),
  ),
  edited(
    "without the column of contexts",
    (line) => line.replace(/(\[\d+\]) \S{5} +(\d+\.\d+:)/, "$1 $2"),
  ),
  edited(
    "of Linux 5.10: no __iomap_dio_rw, workqueues by their addresses",
    (line) =>
      line.replace(/ caller=iomap_dio_rw\S+$/, "")
        .replaceAll("__iomap_dio_rw", "iomap_dio_rw")
        .replace(/workqueue=dio\/\S+/, "workqueue=ffff888c25d6bbf0"),
  ),
  edited(
    "with functions that the compiler has split",
    (line) =>
      line.replaceAll(
        /\b((?:iomap_)?dio_complete|dio_bio_complete|aio_complete)\+/g,
        "$1.isra.0+",
      ),
  ),
  PERF,
  TRACE_CMD,
  UNKNOWN_PATH,
  IO_URING,
  { name: "as the script of recipe makes them", make: asRecipe },
  OTHER_BIOS,
];
