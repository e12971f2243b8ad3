/**
 * What is left after a power cut: everything that an O_DSYNC write has
 * reported, and whatever the disk likes of the rest.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  BlkdevDirectIo,
  type Kernel,
  type Kiocb,
  type ProfileName,
  REQ_FUA,
  type Rw,
} from "../core/mod.ts";
import { Blkdev, MODELS, type ModelSpec } from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import { ExhaustiveStrategy } from "./explore/dpor.ts";
import { RunArena, runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioById } from "./scenarios.ts";
import { STALE } from "./user_file.ts";

const PROFILES = ["v4.10", "v6.1"] as const;
const BYTES = 8192;

const blkdev = MODELS.find(({ name }) => name === "blkdev")!;
const dsync = scenarioById("blkdev-dsync");

/** What every order comes to: the bytes that are left, and broken rules. */
function explore(model: ModelSpec, scenario: Scenario, profile: ProfileName) {
  const strategy = new ExhaustiveStrategy();
  const arena = new RunArena(scenario);
  const left = new Set<string>();
  const broken = new Set<string>();
  do {
    strategy.begin();
    const options = { profile, strategy, arena };
    const { violations } = runScenario(model, scenario, options);
    if (strategy.blocked) continue;
    for (const { rule } of violations) broken.add(rule);
    const blocks = [0, 1].map((i) => arena.device.store[i * 4096] !== STALE);
    left.add(blocks.map((isThere) => isThere ? "x" : ".").join(""));
  } while (strategy.end());
  return { left: [...left].sort(), broken: [...broken].sort() };
}

for (const profile of PROFILES) {
  Deno.test(`dsync-durable: in no order of two bios does a power cut take what an O_DSYNC write has reported, in ${profile}`, () => {
    assertEquals(explore(blkdev, dsync, profile), { left: ["xx"], broken: [] });
  });

  Deno.test(`dsync-durable: without O_DSYNC a power cut takes any of two bios, in ${profile}`, () => {
    const { dsync: _, ...scenario } = dsync;
    assertEquals(explore(blkdev, scenario, profile), {
      left: ["..", ".x", "x.", "xx"],
      broken: [],
    });
  });

  Deno.test(`dsync-durable: a device that ignores FUA breaks the rule in ${profile}`, () => {
    const device = { volatileCache: true, ignoresFua: true };
    const { left, broken } = explore(blkdev, { ...dsync, device }, profile);
    assertEquals(left, ["..", ".x", "x.", "xx"]);
    assertEquals(broken, [
      "dsync-durable/power-cut",
    ]);
  });

  Deno.test(`dsync-durable: a write without FUA breaks the rules in ${profile}`, () => {
    class NoFua extends BlkdevDirectIo {
      override blkdevOpf(rw: Rw, iocb: Kiocb): number {
        return super.blkdevOpf(rw, iocb) & ~REQ_FUA;
      }
    }
    class NoFuaBlkdev extends Blkdev {
      override init(kernel: Kernel): BlkdevDirectIo {
        return new NoFua(kernel);
      }
    }
    const model: ModelSpec = {
      name: "no-fua",
      mount: (kernel, bdev) => new NoFuaBlkdev(kernel, bdev),
    };
    const { broken } = explore(model, dsync, profile);
    assertEquals(broken, [
      "dsync-durable/fua",
      "dsync-durable/power-cut",
    ]);
  });
}

for (const model of MODELS) {
  for (
    const id of [
      "aio-write-dsync-power-cut",
      "sync-write-dsync-power-cut",
      "fsync-power-cut",
    ]
  ) {
    Deno.test(`dsync-durable: ${id} keeps what ${model.name} has reported`, () => {
      const scenario = scenarioById(id);
      const { failure, coverage } = checkScenario(model, scenario);
      assertEquals(failure?.violations ?? [], []);
      assertEquals(coverage, "exhaustive");
    });
  }
}

Deno.test("dsync-durable: without fsync what was not stable is not missed", () => {
  const { tasks: [task], ...rest } = scenarioById("fsync-power-cut");
  const ops = task!.ops.filter(({ op }) => op !== "fsync");
  const scenario: Scenario = { ...rest, tasks: [{ comm: "writer", ops }] };
  const { left, broken } = explore(blkdev, scenario, "v6.1");
  // One bio holds both blocks: the disk loses it whole.
  assertEquals({ left, broken }, { left: ["..", "xx"], broken: [] });
});

Deno.test("power_cut: a device without a volatile cache loses nothing", () => {
  const { device: _, ...scenario } = dsync;
  const report = runScenario(blkdev, scenario, { profile: "v6.1" });
  assertEquals(report.results, [[BYTES, 0, BYTES]]);
  assert(report.events.every(({ ev }) => ev !== "power_cut"));
});
