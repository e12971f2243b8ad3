import { assert, assertEquals } from "@std/assert";
import { READ, type Rw, WRITE } from "./bio.ts";
import {
  EINTR,
  EIO,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
} from "./errno.ts";
import type { TraceEvent } from "./events.ts";
import { filpClose, filpOpen } from "./file.ts";
import { freezeSuper, thawSuper } from "./freeze.ts";
import { O_DIRECT } from "./fs.ts";
import type { IoEvent } from "./kioctx.ts";
import type { ProfileName } from "./profile.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import { umount } from "./super.ts";
import {
  assertClean,
  Rig,
  type RigOptions,
  seeds,
} from "./testdata/identity_fs.ts";

/** Where events of some names come first in a trace, or -1. */
function seqsOf(rig: Rig, ...names: string[]): number[] {
  const events: TraceEvent[] = rig.events(...names);
  return names.map((name) => events.find(({ ev }) => ev === name)?.seq ?? -1);
}

Deno.test.each<[string, number, number]>([
  ["ERESTARTSYS", -ERESTARTSYS, -EINTR],
  ["ERESTARTNOINTR", -ERESTARTNOINTR, -EINTR],
  ["ERESTARTNOHAND", -ERESTARTNOHAND, -EINTR],
  ["ERESTART_RESTARTBLOCK", -ERESTART_RESTARTBLOCK, -EINTR],
  ["any other error", -EIO, -EIO],
])(
  "one-completion: ioSubmit() of a request that comes to %s",
  (_name, ret, expected) => {
    const rig = new Rig({ fs: { directIO: () => ret } });
    assertEquals(rig.result(), expected);
  },
);

Deno.test("completion-ring: userReap() takes events without a call, and their slots come back when the kernel looks", () => {
  for (const strategy of [undefined, ...seeds(20).map(random)]) {
    const rig = new Rig({ nrEvents: 1, ...(strategy && { strategy }) });
    const { kernel: { aio }, ring, inode } = rig;
    const taken: number[] = [];
    rig.kernel.spawn(
      "fio",
      (function* (): Task<void> {
        const file = { fInode: inode, fFlags: O_DIRECT };
        for (let data = 1; data <= 3; data++) {
          const iov = [rig.buffer(4096)];
          const request = { file, rw: WRITE, iov, offset: 0, data };
          assertEquals(yield* aio.ioSubmit(ring, request), 1);
          const events: IoEvent[] = [];
          while ((yield* aio.userReap(ring, events)) === 0) {
            yield* rig.kernel.sleep(1000);
          }
          taken.push(...events.map(({ data }) => data));
          assertEquals(ring.available, 0);
        }
      })(),
    );
    rig.finish();
    assertEquals(taken, [1, 2, 3]);
  }
});

/** A transfer, and somebody who freezes the filesystem meanwhile. */
function frozen(
  options: RigOptions,
  rw: Rw,
  isSync: boolean,
  delayNs: number,
): Rig {
  const rig = new Rig(options);
  if (isSync) rig.submitSync({ rw });
  else rig.submit({ rw });
  rig.kernel.spawn(
    "fsfreeze",
    (function* (): Task<void> {
      yield* rig.kernel.sleep(delayNs);
      assertEquals(yield* freezeSuper(rig.sb), 0);
      yield* rig.kernel.sleep(5000);
      assertEquals(yield* thawSuper(rig.sb), 0);
    })(),
  );
  assertEquals(rig.finish().map(({ res }) => res), [4096]);
  return rig;
}

/** A disk that is slower than a freeze. */
const SLOW = { latency: { baseNs: 50_000 } };

/** In how many runs the filesystem was frozen while a bio was in flight. */
function frozenInFlight(profile: ProfileName, rw: Rw, isSync = false): number {
  let found = 0;
  for (const seed of seeds(200)) {
    const options = { profile, strategy: random(seed), device: SLOW };
    const rig = frozen(options, rw, isSync, 1000);
    const [submit = -1, ended = -1, freeze = -1] = seqsOf(
      rig,
      "submit_bio",
      "bio_endio",
      "freeze_super_return",
    );
    assert(freeze >= 0, "it was frozen");
    if (submit < freeze && freeze < ended) found++;
  }
  return found;
}

Deno.test("pinned-until-done: an asynchronous write keeps its filesystem from being frozen until it has completed, in v3.12 until it was submitted (seeds 1 to 200)", () => {
  assert(frozenInFlight("v3.12", WRITE) > 100);
  assertEquals(frozenInFlight("v4.10", WRITE), 0);
  assertEquals(frozenInFlight("v6.1", WRITE), 0);
});

Deno.test("pinned-until-done: a write that a system call waits for keeps its filesystem from being frozen, and a read does not (seeds 1 to 200)", () => {
  for (const profile of ["v3.12", "v4.10", "v6.1"] as const) {
    assertEquals(frozenInFlight(profile, WRITE, true), 0);
    assert(frozenInFlight(profile, READ) > 100);
  }
});

Deno.test("pinned-until-done: a write to a frozen filesystem waits until it is thawed (seeds 1 to 100)", () => {
  let waited = 0;
  for (const seed of seeds(100)) {
    const rig = frozen({ strategy: random(seed) }, WRITE, false, 0);
    const [freeze = -1, direct = -1, thaw = -1] = seqsOf(
      rig,
      "freeze_super_return",
      "direct_IO",
      "thaw_super",
    );
    if (direct < freeze) continue;
    assert(direct > thaw, `random(${seed})`);
    waited++;
  }
  assert(waited > 10);
});

/** A request on a file that is closed, and unmounted, at once. */
function closed(options: RigOptions, rw: Rw): Rig {
  const rig = new Rig(options);
  const { kernel, ring, inode, sb } = rig;
  const file = filpOpen(inode, O_DIRECT);
  const iov = [rig.buffer(4096)];
  kernel.spawn(
    "fio",
    (function* (): Task<void> {
      const request = { file, rw, iov, offset: 0, data: 1 };
      assertEquals(yield* kernel.aio.ioSubmit(ring, request), 1);
      yield* filpClose(file);
      yield* umount(sb);
    })(),
  );
  assertClean(kernel.run());
  const events: IoEvent[] = [];
  kernel.spawn("reaper", kernel.aio.ioGetevents(ring, 1, events));
  assertClean(kernel.run());
  kernel.shutdown();
  assertEquals(events, [{ data: 1, res: 4096 }]);
  assertEquals(rig.events("slab_leak"), []);
  assertEquals(sb.openFiles, 0);
  return rig;
}

Deno.test("pinned-until-done: a request keeps its file, and that its mount, until its event is on the ring (seeds 1 to 200)", () => {
  let closedFirst = 0;
  for (const rw of [READ, WRITE] as const) {
    for (const completion of ["softirq", "inline"] as const) {
      for (const seed of seeds(100)) {
        const options = { strategy: random(seed), device: { completion } };
        const [close = -1, event = -1, gone = -1, evict = -1] = seqsOf(
          closed(options, rw),
          "filp_close",
          "aio_complete",
          "__fput",
          "evict_inodes",
        );
        assert(event < gone && gone < evict, `random(${seed})`);
        if (close < event) closedFirst++;
      }
    }
  }
  assert(closedFirst > 10);
});
