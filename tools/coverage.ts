/**
 * What the suite meets: `deno task coverage`.
 *
 * A completion goes another way with its caller, its completer, the order of
 * its bios, an error. A combination that no scenario meets is one in which
 * every rule is kept because nothing happens.
 *
 * @module
 */

import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  readOptions,
  runTool,
  UserError,
} from "./cli.ts";
import { measureCoverage } from "./coverage/measure.ts";
import { coverageText, gaps, impossibleText } from "./coverage/text.ts";

const HELP = `Usage: deno run tools/coverage.ts [--impossible]

Runs every scenario on every model and profile under a few schedules, and counts
the requests by every two of: profile, caller, who completes it, where its bios
end, how many there are and in which order they end, error, size. The exit
status is 1 when a combination that is possible is not met, or a rule is not
exercised, or a scenario exercises none of the rules that it names.

Options:
  --impossible   prints the combinations that cannot be, and why
  --help         this text

Example:
  deno task coverage
`;

/**
 * The coverage as a command.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function coverage(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { flags, rest } = readOptions(args, { boolean: ["impossible"] });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  if (rest.length > 0) {
    throw new UserError(`Unexpected '${rest[0]}': coverage takes no arguments`);
  }
  if (flags.has("impossible")) {
    await io.out.write(impossibleText());
    return EXIT_OK;
  }
  const measured = measureCoverage();
  await io.out.write(coverageText(measured));
  return gaps(measured).length === 0 ? EXIT_OK : EXIT_VIOLATED;
}

if (import.meta.main) await runTool("coverage.ts", coverage);
