/**
 * Records and checks traces of direct I/O.
 *
 * ```sh
 * deno run tools/trace.ts record --fs ext4 --scenario aio-write-unwritten |
 *   deno run tools/trace.ts check -
 * ```
 *
 * `--help` says the rest.
 *
 * @module
 */

import {
  EXIT_OK,
  type Io,
  lookUp,
  runTool,
  type Tool,
  UserError,
} from "./cli.ts";
import { check } from "./trace_check.ts";
import { convert } from "./trace_convert.ts";
import { diff } from "./trace_diff.ts";
import { list } from "./trace_list.ts";
import { recipe } from "./trace_recipe.ts";
import { record } from "./trace_record.ts";
import { stat } from "./trace_stat.ts";

const HELP = `Records, checks and shows traces of direct I/O.

Usage: deno run tools/trace.ts COMMAND [OPTIONS]

  record   runs one scenario and writes its trace; needs no permission
  check    checks traces against the rules
  convert  writes a trace as text, html, svg, for Perfetto, ...
  stat     counts, and says how long what took
  diff     shows where two traces begin to differ
  recipe   prints a script that records on your own kernel
  list     filesystems, scenarios, rules, formats

All read what record writes, and ftrace text of a real kernel (with
--allow-read for files; - is standard input).

COMMAND --help says more. Results go to standard output, messages to
standard error; NO_COLOR is honoured.

Exit status: 0 fine, 1 a rule was violated, 2 the command could not be
carried out, 70 a defect of endio itself.

Example: deno run tools/trace.ts record --fs ext4 \\
           --scenario aio-write-unwritten | deno run tools/trace.ts check -
`;

const COMMANDS: ReadonlyMap<string, Tool> = new Map([
  ["record", (args, io) => record(args, io)],
  ["check", check],
  ["convert", convert],
  ["stat", stat],
  ["diff", diff],
  ["recipe", recipe],
  ["list", list],
]);

/**
 * The tool.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function trace(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  if (name === undefined || name.startsWith("-")) {
    throw new UserError(
      `No command${name === undefined ? "" : ` before ${name}`}: ${
        [...COMMANDS.keys()].join(", ")
      }; see --help`,
    );
  }
  return await lookUp("command", name, COMMANDS)(rest, io);
}

if (import.meta.main) await runTool("trace.ts", trace);
