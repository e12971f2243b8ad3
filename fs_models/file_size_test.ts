// What truncates and appends leave, as a user sees it. The oracle of
// tools/oracle.ts holds the same against a real kernel.

import { assertEquals } from "@std/assert";
import {
  type Inode,
  O_APPEND,
  O_DIRECT,
  READ,
  vfsPunchHole,
  WRITE,
} from "../core/mod.ts";
import { MODELS, type ModelSpec } from "./mod.ts";
import { BLOCK, Mounted, written } from "./testdata/mounted.ts";

function mounted(
  { mount }: ModelSpec,
  blocks: number,
): Mounted<ReturnType<typeof mount>, Inode> {
  const rig = new Mounted(mount, written(blocks));
  rig.device.store.fill(7);
  return rig;
}

const ABLE = MODELS.filter((spec) =>
  mounted(spec, 1).fs.features?.includes("truncate")
);

for (const spec of ABLE) {
  Deno.test(`read-within-size: what ${spec.name} cuts off a block is zero when the file grows again`, () => {
    const rig = mounted(spec, 3);
    const iov = rig.buffer({ bytes: 2 * BLOCK, fill: 1 });
    rig.task((function* () {
      assertEquals(yield* rig.truncate(300), 0);
      assertEquals(yield* rig.truncate(2 * BLOCK), 0);
      yield* rig.sync({ rw: READ }, iov);
    })());
    assertEquals(rig.finish(), [2 * BLOCK]);
    const expected = new Uint8Array(2 * BLOCK).fill(7, 0, 300);
    assertEquals(rig.kernel.memory.bytes(iov.base, 2 * BLOCK), expected);
  });

  Deno.test(`no-stale-exposure: ${spec.name} forgets what is cached of a block that was cut and then punched`, () => {
    const rig = mounted(spec, 1);
    if (!rig.fs.features?.includes("punch_hole")) return;
    rig.task((function* () {
      assertEquals(yield* rig.truncate(300), 0);
      assertEquals(yield* vfsPunchHole(rig.inode, 0, BLOCK), 0);
      // What was cached must not be written over this.
      yield* rig.sync({ bytes: BLOCK }, rig.buffer({ fill: 9 }));
    })());
    assertEquals(rig.finish(), [BLOCK]);
    const iov = rig.buffer({ bytes: BLOCK });
    rig.task(rig.sync({ rw: READ }, iov));
    rig.run();
    assertEquals(
      rig.kernel.memory.bytes(iov.base, BLOCK),
      new Uint8Array(BLOCK).fill(9),
    );
  });

  Deno.test(`${spec.name} writes to the end of a file that is open with O_APPEND`, () => {
    const rig = mounted(spec, 1);
    const { aio } = rig.kernel;
    const file = { fInode: rig.inode, fFlags: O_DIRECT | O_APPEND };
    rig.task((function* () {
      for (const fill of [1, 2]) {
        const iov = rig.buffer({ fill });
        rig.results.push(yield* aio.syncRw(file, WRITE, [iov], 0));
      }
    })());
    const iov = rig.buffer({ bytes: 3 * BLOCK });
    assertEquals(rig.run(), undefined);
    rig.task(rig.sync({ rw: READ }, iov));
    assertEquals(rig.finish(), [BLOCK, BLOCK, 3 * BLOCK]);
    const bytes = rig.kernel.memory.bytes(iov.base, 3 * BLOCK);
    assertEquals([0, 1, 2].map((block) => bytes[block * BLOCK]), [7, 1, 2]);
  });
}
