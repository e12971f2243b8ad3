/**
 * `trace.ts recipe`: a shell script that records direct I/O on the reader's
 * own kernel.
 *
 * @module
 */

import { EXIT_OK, type Io, lookUp, readOptions, UserError } from "./cli.ts";

/** How to use it. */
export const RECIPE_HELP: string =
  `Prints a shell script that records direct I/O on your own kernel.

Usage: deno run tools/trace.ts recipe [--fs FS] >record.sh
       sudo sh record.sh OUT COMMAND...

  --fs FS      the filesystem whose end_io is recorded, too: ext4, xfs, f2fs,
               btrfs, ocfs2, gfs2, zonefs, or blkdev (none); without it all
               that are there

The script needs root, tracefs, and a kernel with kprobe events (all
distributions have them). It probes functions by name, only those that the
kernel has, with their arguments as the calling convention passes them; no
offset into a structure and none into a function. It takes everything away
in the end, and changes nothing else.

OUT is what 'trace.ts check' takes.

Example: deno run tools/trace.ts recipe --fs ext4 >record.sh
         sudo sh record.sh out.trace fio job.fio
`;

/** A probe: function, arguments at its entry, whether its return is told. */
export type ProbeSpec = readonly [fn: string, args: string, ret: boolean];

const COMMON: readonly ProbeSpec[] = [
  ["io_submit_one", "", true],
  ["__blockdev_direct_IO", "iocb=$arg1:x64 inode=$arg2:x64", true],
  ["dio_complete", "dio=$arg1:x64 ret=$arg2:s64 flags=$arg3:x32", true],
  ["dio_aio_complete_work", "work=$arg1:x64", false],
  ["dio_bio_end_aio", "bio=$arg1:x64", false],
  ["dio_bio_end_io", "bio=$arg1:x64", false],
  ["dio_bio_complete", "dio=$arg1:x64 bio=$arg2:x64", false],
  ["__iomap_dio_rw", "iocb=$arg1:x64", true],
  ["iomap_dio_complete", "dio=$arg1:x64", true],
  ["iomap_dio_complete_work", "work=$arg1:x64", false],
  ["iomap_dio_bio_end_io", "bio=$arg1:x64", false],
  ["__blkdev_direct_IO", "iocb=$arg1:x64", false],
  ["__blkdev_direct_IO_async", "iocb=$arg1:x64", false],
  ["__blkdev_direct_IO_simple", "iocb=$arg1:x64", false],
  ["blkdev_bio_end_io", "bio=$arg1:x64", false],
  ["blkdev_bio_end_io_async", "bio=$arg1:x64", false],
  ["submit_bio", "bio=$arg1:x64", false],
  ["bio_endio", "bio=$arg1:x64", false],
  ["bio_set_pages_dirty", "bio=$arg1:x64", false],
  ["bio_check_pages_dirty", "bio=$arg1:x64", false],
  ["kiocb_invalidate_post_direct_write", "iocb=$arg1:x64", false],
  ["vfs_fsync_range", "start=$arg2:s64 end=$arg3:s64", true],
  ["inode_dio_wait", "inode=$arg1:x64", true],
  ["aio_complete_rw", "iocb=$arg1:x64 res=$arg2:s64", false],
];

const SIZE_ARGS = "iocb=$arg1:x64 size=$arg2:s64 error=$arg3:s32";
const BYTES_ARGS = "iocb=$arg1:x64 off=$arg2:s64 bytes=$arg3:s64";

/** The end_io functions of each filesystem, and what they call. */
const FILESYSTEMS: ReadonlyMap<string, readonly ProbeSpec[]> = new Map<
  string,
  readonly ProbeSpec[]
>([
  ["ext4", [
    ["ext4_dio_write_end_io", SIZE_ARGS, true],
    ["ext4_convert_unwritten_extents", "", true],
  ]],
  ["xfs", [
    ["xfs_dio_write_end_io", SIZE_ARGS, true],
    ["xfs_iomap_write_unwritten", "", false],
    ["xfs_reflink_end_cow", "", false],
  ]],
  ["f2fs", [
    ["f2fs_dio_read_end_io", SIZE_ARGS, true],
    ["f2fs_dio_write_end_io", SIZE_ARGS, true],
  ]],
  ["btrfs", [["btrfs_end_dio_bio", "", false]]],
  ["ocfs2", [
    ["ocfs2_dio_end_io", BYTES_ARGS, true],
    ["ocfs2_dio_end_io_write", "", true],
  ]],
  ["gfs2", []],
  ["zonefs", [["zonefs_file_write_dio_end_io", SIZE_ARGS, true]]],
  ["blkdev", []],
]);

/** The filesystems that a script can be asked for. */
export const RECIPE_FILESYSTEMS: readonly string[] = [...FILESYSTEMS.keys()];

/**
 * The probes that a script sets.
 *
 * @param fs The filesystem; without it all of them.
 * @returns The probes.
 * @throws {UserError} If there is no such filesystem.
 */
export function recipeProbes(fs?: string): readonly ProbeSpec[] {
  const own = fs === undefined
    ? [...FILESYSTEMS.values()].flat()
    : lookUp("filesystem", fs, FILESYSTEMS);
  return [...COMMON, ...own];
}

/** Tracepoints: how work gets to a kworker, and what the device does. */
const POINTS: readonly string[] = [
  "workqueue/workqueue_queue_work",
  "workqueue/workqueue_execute_start",
  "workqueue/workqueue_execute_end",
  "block/block_rq_issue",
  "block/block_rq_complete",
];

/**
 * The command.
 *
 * @param args What follows `recipe`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function recipe(args: readonly string[], io: Io): Promise<number> {
  const { values, flags, rest } = readOptions(args, { string: ["fs"] });
  if (flags.has("help")) {
    await io.out.write(RECIPE_HELP);
    return EXIT_OK;
  }
  const [extra] = rest;
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': recipe takes --fs only`);
  }
  await io.out.write(script(recipeProbes(values.get("fs"))));
  return EXIT_OK;
}

/** The script up to what takes everything away again. */
const SETUP: string = `#!/bin/sh
# Records the direct I/O of a command, for 'trace.ts check'.
#
#   sudo sh record.sh OUT COMMAND...
#
# It sets kprobes at the entry of functions, and at the return of some; those
# that this kernel lacks, or has inlined, are left out and named. The events
# go to an instance of ftrace of their own, which is removed in the end.
set -eu

[ $# -ge 2 ] || { echo "usage: $0 OUT COMMAND..." >&2; exit 2; }
out=$1
shift

tracing=/sys/kernel/tracing
[ -e "$tracing/kprobe_events" ] || tracing=/sys/kernel/debug/tracing
[ -w "$tracing/kprobe_events" ] || {
  echo "$0: no kprobe events: be root, and mount -t tracefs none $tracing" >&2
  exit 2
}
group=endio$$
instance=$tracing/instances/$group
probes=

# Takes everything away again, however this ends.
clean() {
  echo 0 >"$instance/tracing_on" || true
  echo 0 >"$instance/events/enable" || true
  rmdir "$instance" || true
  for name in $probes; do
    echo "-:$group/$name" >>"$tracing/kprobe_events" || true
  done
}

`;

/** Its functions, and the instance that records. */
const FUNCTIONS: string =
  `# probe FUNCTION ARGUMENTS: tells of its entry. $argN is where the calling
# convention of this machine passes the Nth argument.
probe() {
  if grep -q "^$1\\( \\|\\$\\)" "$tracing/available_filter_functions" &&
    echo "p:$group/$1 $1 $2" >>"$tracing/kprobe_events" 2>/dev/null; then
    probes="$probes $1"
  else
    echo "$0: this kernel has no $1 to probe" >&2
  fi
}

# probe_return FUNCTION: tells of its return, when its entry is told of.
probe_return() {
  case " $probes " in
    *" $1 "*) ;;
    *) return 0 ;;
  esac
  if echo "r:$group/\${1}_ret $1 ret=\\$retval:s64" \\
    >>"$tracing/kprobe_events" 2>/dev/null; then
    probes="$probes \${1}_ret"
  fi
}

mkdir "$instance"
trap clean EXIT
trap 'exit 130' INT TERM
echo nop >"$instance/current_tracer"
echo 16384 >"$instance/buffer_size_kb" # of each processor

`;

/** What follows the probes: the command, and its record. */
const RECORD: string = `
for name in $probes; do
  echo 1 >"$instance/events/$group/$name/enable"
done
for point in ${POINTS.join(" \\\n  ")}; do
  [ ! -e "$instance/events/$point" ] || echo 1 >"$instance/events/$point/enable"
done

echo 1 >"$instance/tracing_on"
status=0
"$@" || status=$?
sleep 1 # what the command has left in flight
echo 0 >"$instance/tracing_on"

# The first line tells 'trace.ts check' which probes there were: an event
# that is not there did not happen.
{
  echo "# endio probes:$probes"
  cat "$instance/trace"
} >"$out"
lost=$(awk '/^overrun:/ { n += $2 } END { print n + 0 }' \\
  "$instance"/per_cpu/cpu*/stats)
[ "$lost" = 0 ] || echo "$0: the buffer lost $lost events" >&2
echo "$0: $(grep -vc '^#' "$out") lines in $out" >&2
exit "$status"
`;

function script(probes: readonly ProbeSpec[]): string {
  const list = probes.flatMap(([fn, args, ret]) => [
    `probe ${fn} '${args}'`,
    ...ret ? [`probe_return ${fn}`] : [],
  ]);
  return `${SETUP}${FUNCTIONS}${list.join("\n")}\n${RECORD}`;
}
