/**
 * What is proved about the direct I/O of block devices: every order of one to
 * four bios, of which any may fail, read and written, waited for and not.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Bio,
  type BlkdevDio,
  BlkdevDirectIo,
  EIO,
  type Kernel,
  type ProfileName,
} from "../../core/mod.ts";
import { Blkdev, type ModelSpec } from "../../fs_models/mod.ts";
import { RunArena, runScenario } from "../run.ts";
import type { Scenario, Transfer } from "../scenario.ts";
import { ExhaustiveStrategy } from "./dpor.ts";

const BLOCK = 4096;

/** What happened in a run: which bios failed, and in which order all ended. */
let fates: number[] = [];
let order: number[] = [];

/** The core's own, which tells in which order the bios drop their parts. */
class RecordedDirectIo extends BlkdevDirectIo {
  override blkdevDropPart(dio: BlkdevDio): boolean {
    order.push((this.kernel.current.arg as Bio).id);
    return super.blkdevDropPart(dio);
  }
}

class RecordedBlkdev extends Blkdev {
  override init(kernel: Kernel): BlkdevDirectIo {
    return new RecordedDirectIo(kernel);
  }
}

/** Nothing but faults is left to it, in the order of submission. */
class RecordedStrategy extends ExhaustiveStrategy {
  override choose(options: number): number {
    const fate = super.choose(options);
    fates.push(fate);
    return fate;
  }
}

const blkdev: ModelSpec = {
  name: "blkdev",
  mount: (kernel, bdev) => new RecordedBlkdev(kernel, bdev),
};

/** A request of so many bios, each of which may fail. */
function request(op: Transfer["op"], bios: number): Scenario {
  const bytes = bios * BLOCK;
  const transfer: Transfer = { op, offset: 0, bytes };
  return {
    id: "any-subset-fails",
    title: "A request to a block device of which any bio may fail",
    rules: [],
    file: { size: bytes, extents: [] },
    bioMaxPages: 1,
    faults: Array.from({ length: bios }, (_, i) => ({
      nth: i + 1,
      open: true,
    })),
    tasks: [{
      comm: "user",
      ops: op.startsWith("aio")
        ? [transfer, { op: "getevents", min: 1 }]
        : [transfer],
    }],
  };
}

/** Runs every order; gives the orders, and what the request came to. */
function explore(profile: ProfileName, op: Transfer["op"], bios: number) {
  const scenario = request(op, bios);
  const arena = new RunArena(scenario);
  const strategy = new RecordedStrategy();
  const orders = new Set<string>();
  const outcomes = new Set<number>();
  do {
    strategy.begin();
    fates = [];
    order = [];
    const report = runScenario(blkdev, scenario, { profile, strategy, arena });
    if (strategy.blocked) continue;
    const { violations, results, token } = report;
    assertEquals([token, violations], [token, []]);
    assertEquals(results[0]?.length, 1, token);
    outcomes.add(results[0]?.[0] ?? NaN);
    orders.add(`${order} ${fates}`);
  } while (strategy.end());
  return { orders, outcomes };
}

for (const profile of ["v4.10", "v6.1"] as const) {
  for (const op of ["aio_write", "aio_read", "write", "read"] as const) {
    for (const [bios, orders] of [[1, 1], [2, 2], [3, 6], [4, 24]] as const) {
      Deno.test(`no order of ${bios} bios of ${op} on a block device breaks a rule of ${profile}, whichever of them fail`, () => {
        const found = explore(profile, op, bios);
        assertEquals(found.outcomes, new Set([bios * BLOCK, -EIO]));
        // A single bio may have a path without parts.
        if (bios > 1) assertEquals(found.orders.size, orders * 2 ** bios);
      });
    }
  }
}
