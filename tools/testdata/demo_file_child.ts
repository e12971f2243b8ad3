/**
 * The demo's part on a real file as a program of its own:
 * `deno run … demo_file_child.ts DIR`.
 *
 * @module
 */

import { scenarioById } from "../../conformance/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { countWrong, runOnFile } from "../demo_file.ts";

const [directory = ""] = Deno.args;
const ext4 = MODELS.find(({ name }) => name === "ext4")!;
const scenario = scenarioById("aio-write-unwritten");
const result = runOnFile(ext4, scenario, directory);
const text = typeof result === "string"
  ? result
  : `${result.written.length > 0} ${
    countWrong(result)
  } ${result.report.violations.length}`;
Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
