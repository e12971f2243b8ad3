/**
 * What endio does, in a few seconds: the suite on every shipped model, one
 * annotated trace, and the same workload on a real file.
 *
 * ```sh
 * deno task demo
 * ```
 *
 * Exit status 1 if a rule is broken.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import {
  type ConformanceReport,
  formatFailure,
  runScenario,
  scenarioById,
} from "../conformance/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  runTool,
  type Style,
  styleOf,
  UserError,
} from "./cli.ts";
import {
  countWrong,
  type FileResult,
  readBack,
  runOnFile,
} from "./demo_file.ts";
import { renderTable, runSuite } from "./demo_table.ts";
import { renderText } from "./trace_text.ts";

const FS = "ext4";
const SCENARIO = "aio-write-unwritten";
const DIRECTORY = "/tmp";
const MAX_WIDTH = 100;

/** What is said under the first event of each name in the trace. */
const NOTES: Readonly<Record<string, string>> = {
  get_block: "the blocks are allocated, but unwritten",
  dio_set_defer_completion:
    "so what follows the transfer will have to sleep: not in an interrupt",
  direct_IO_return: "the system call is over, the write is not",
  bio_endio: "the data is on the device",
  queue_work: "still in the interrupt: hand over",
  end_io: "now the extent becomes written",
  might_sleep: "here it sleeps, as a kworker may",
  inode_dio_done: "a truncate may go on",
  aio_complete: "user space may know",
  dio_free: "and nothing touches it after that",
};

/**
 * The demo.
 *
 * @param args Its arguments: none.
 * @param io Its world.
 * @returns The exit status.
 */
export async function demo(args: readonly string[], io: Io): Promise<number> {
  const [extra] = args;
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': the demo takes no arguments`);
  }
  const style = styleOf(io.color);
  const reports = runSuite();
  await io.out.write(suitePart(reports, style));
  await io.out.write(tracePart(io, style));
  const result = runOnFile(findModel(), scenarioById(SCENARIO), DIRECTORY);
  await io.out.write(filePart(result, style));
  await io.out.write(
    `${
      style.bold("Next:")
    } README.md shows how to check a model of your own.\n`,
  );
  const failures = failuresOf(reports, result);
  for (const failure of failures) await io.err.write(`${failure}\n`);
  return failures.length > 0 ? EXIT_VIOLATED : EXIT_OK;
}

function findModel(): ModelSpec {
  return MODELS.find(({ name }) => name === FS) as ModelSpec;
}

function suitePart(
  reports: readonly ConformanceReport[],
  style: Style,
): string {
  return `${
    style.bold("1. The suite on every shipped model")
  }, with the semantics of the kernel named
   (✓ schedules: all of those that can make a difference, or else some)

${renderTable(reports, style)}
`;
}

function tracePart(io: Io, style: Style): string {
  const { events } = runScenario(findModel(), scenarioById(SCENARIO));
  const { shown, notes } = annotate(events);
  const width = Math.min(io.columns, MAX_WIDTH);
  const lines = [...renderText(shown, { width, color: io.color, notes })];
  return `${
    style.bold(`2. One write of it`)
  }: ${SCENARIO} on ${FS}, up to the event that user space gets

${lines.join("")}
   All of it: deno run tools/trace.ts record --fs ${FS} \\
                --scenario ${SCENARIO} --format text

`;
}

/** The write itself, and a note at the first event of each kind. */
function annotate(
  events: readonly TraceEvent[],
): { shown: TraceEvent[]; notes: Map<number, string> } {
  const isSleep = ({ ev, ctx }: TraceEvent): boolean =>
    ev === "might_sleep" && ctx !== "kworker";
  const end = events.findIndex(({ ev }) => ev === "io_getevents");
  const shown = events.slice(0, end + 1).filter((event) =>
    !isSleep(event) && event.dio !== 0
  );
  const notes = new Map<number, string>();
  const told = new Set<string>();
  for (const { seq, ev } of shown) {
    const note = NOTES[ev];
    if (note !== undefined && !told.has(ev)) notes.set(seq, note);
    told.add(ev);
  }
  return { shown, notes };
}

function filePart(result: FileResult | string, style: Style): string {
  const title = style.bold("3. The same on a real file, through O_DIRECT");
  if (typeof result === "string") {
    return `${title}\n\n  ${style.yellow("–")} skipped: ${result}\n\n`;
  }
  const { report, written } = result;
  const mark = (isGood: boolean): string =>
    isGood ? style.green("✓") : style.red("✗");
  const bytes = written.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const wrong = countWrong(result);
  const back = readBack(report.events);
  const at = written[0]?.at ?? 0;
  const broken = report.violations.length;
  return `${title}

  ${mark(broken === 0)} trace: ${report.events.length} events, ${
    broken === 0 ? "no rule broken" : `${broken} violations`
  }
  ${
    mark(back.wrong === 0)
  } read back by the scenario, through O_DIRECT: ${back.bytes} bytes, ${back.wrong} wrong
  ${
    mark(wrong === 0)
  } read back by Deno.readFileSync(), from byte ${at} of the file on, where the
    extent lies: ${bytes} bytes, ${wrong} wrong

`;
}

function failuresOf(
  reports: readonly ConformanceReport[],
  result: FileResult | string,
): string[] {
  const failures = reports.flatMap(({ scenarios }) =>
    scenarios.flatMap(({ failure }) => failure ?? [])
  );
  if (typeof result === "string") return failures.map(formatFailure);
  if (result.report.violations.length > 0) failures.push(result.report);
  const wrong = countWrong(result) + readBack(result.report.events).wrong;
  return [
    ...failures.map(formatFailure),
    ...wrong > 0 ? [`${wrong} bytes of the real file are wrong`] : [],
  ];
}

if (import.meta.main) await runTool("demo.ts", demo);
