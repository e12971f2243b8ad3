/**
 * A program that writes block after block with `O_DSYNC` until it is killed,
 * eight at once. It prints the number of each block when its write was
 * reported as stable: `deno run … dsync_writer.ts FILE ENGINE`.
 *
 * @module
 */

import { DirectFile } from "../direct_file.ts";
import type { EngineKind } from "../engine.ts";
import { BLOCK, fillBlock } from "./checked_block.ts";

const DEPTH = 8;

const [path = "", engine = "auto"] = Deno.args;
const file = DirectFile.open(path, {
  dsync: true,
  engine: engine as EngineKind | "auto",
});
const memory = file.allocate(DEPTH * BLOCK);
const blocks = file.sizeBytes / BLOCK;
const encoder = new TextEncoder();
let next = 0;

async function writeOn(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  while (next < blocks) {
    const number = next++;
    fillBlock(bytes, number);
    const result = await file.write(number * BLOCK, bytes);
    if (result !== BLOCK) throw new Error(`write ${number} came to ${result}`);
    Deno.stdout.writeSync(encoder.encode(`${number}\n`));
  }
}

await Promise.all(Array.from({ length: DEPTH }, (_, i) => {
  return writeOn(memory.subarray(i * BLOCK, (i + 1) * BLOCK));
}));
