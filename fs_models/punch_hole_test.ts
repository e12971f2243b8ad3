// Hole punching against SEMANTICS.md (a): blocks are freed when no direct I/O
// is in flight, and only those that were asked for.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  EOPNOTSUPP,
  type Inode,
  SCHEDULE,
  type Task,
  vfsPunchHole,
} from "../core/mod.ts";
import { type ExtentMap, MODELS, type ModelSpec } from "./mod.ts";
import {
  BLOCK,
  Mounted,
  type MountedOptions,
  SLOW,
  written,
} from "./testdata/mounted.ts";

type File = Inode & { readonly extents: ExtentMap };

function mounted(
  { mount }: ModelSpec,
  options?: MountedOptions,
): Mounted<ReturnType<typeof mount>, File> {
  return new Mounted(mount, written(4), options);
}

/** Punches a hole, and checks that it could. */
function* punch({ inode }: { inode: Inode }): Task<void> {
  assertEquals(yield* vfsPunchHole(inode, BLOCK, 2 * BLOCK), 0);
}

const ABLE = MODELS.filter((spec) =>
  mounted(spec).fs.features?.includes("punch_hole")
);

for (const spec of ABLE) {
  Deno.test(`vfsPunchHole() of ${spec.name} frees what it was asked to, and leaves the size`, () => {
    const rig = mounted(spec);
    rig.task(punch(rig));
    rig.finish();
    const { extents, iSize } = rig.inode;
    const states = [0, 1, 2, 3].map((block) => extents.lookup(block).state);
    assertEquals(states, ["written", "hole", "hole", "written"]);
    assertEquals(iSize, 4 * BLOCK);
  });

  Deno.test(`truncate-waits: vfsPunchHole() of ${spec.name} waits for a write in flight`, () => {
    const rig = mounted(spec, { device: SLOW });
    rig.task(rig.async({ offset: BLOCK, bytes: 2 * BLOCK }));
    rig.task((function* () {
      while (rig.inode.iDioCount === 0) yield SCHEDULE;
      yield* punch(rig);
    })());
    assertEquals(rig.finish(), [2 * BLOCK]);
    const seqOf = (ev: string) => rig.events(ev)[0]?.seq;
    assertLess(seqOf("punch_hole"), seqOf("bio_endio") ?? 0);
    assertGreater(
      seqOf("punch_hole_return"),
      seqOf("dio_complete") ?? Infinity,
    );
    assertEquals(rig.inode.extents.lookup(1).state, "hole");
  });
}

for (const spec of MODELS.filter((spec) => !ABLE.includes(spec))) {
  Deno.test(`vfsPunchHole() of ${spec.name} gives -EOPNOTSUPP`, () => {
    const rig = mounted(spec);
    const got: number[] = [];
    rig.task((function* () {
      got.push(yield* vfsPunchHole(rig.inode, BLOCK, BLOCK));
    })());
    rig.finish();
    assertEquals(got, [-EOPNOTSUPP]);
  });
}
