import { assertEquals } from "@std/assert";
import { READ } from "./bio.ts";
import { EIO } from "./errno.ts";
import { random } from "./strategy.ts";
import { PROFILES, reversedBlock, Rig, seeds } from "./testdata/identity_fs.ts";

const BIOS = 150;
const BYTES = BIOS * 4096;

Deno.test("completion-after-last-bio: a request that is waited for ends after all of its bios (seeds 1 to 300)", () => {
  for (const seed of seeds(300)) {
    const rig = new Rig({
      strategy: random(seed),
      ops: { getBlock: reversedBlock },
    });
    rig.submitSync({ bytes: 16384 });
    assertEquals(rig.finish()[0]?.res, 16384, `random(${seed})`);
    assertEquals(
      rig.order("bio_endio", "dio_complete"),
      [...Array(4).fill("bio_endio"), "dio_complete"],
    );
  }
});

Deno.test("completion-after-last-bio: a request that is waited for completes in its submitter (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const rig = new Rig({ strategy: random(seed), nrCpus: 1 });
    rig.submitSync({ rw: READ, bytes: 8192 });
    rig.finish();
    assertEquals(rig.events("dio_complete").map(({ ctx }) => ctx), ["task"]);
  }
});

Deno.test("dioAwaitCompletion() processes more bios than it looks for at once", () => {
  for (const profile of PROFILES) {
    for (const completion of ["softirq", "hardirq", "inline"] as const) {
      const rig = new Rig({
        profile,
        device: { completion },
        ops: { getBlock: reversedBlock },
      });
      const iov = [rig.buffer(BYTES, 6)];
      rig.submitSync({ iov });
      assertEquals(rig.finish()[0]?.res, BYTES);
      assertEquals(rig.order("submit_bio").length, BIOS);
      assertEquals(rig.device.store.indexOf(6), (1 << 20) - BYTES);
      assertEquals(rig.device.store.includes(0, (1 << 20) - BYTES), false);
    }
  }
});

Deno.test("error-reported: dioBioReap() stops the submission after 64 bios of which one failed", () => {
  for (const profile of PROFILES) {
    for (const nth of [1, 64]) {
      const rig = new Rig({
        profile,
        device: { completion: "inline", faults: [{ nth }] },
        ops: { getBlock: reversedBlock },
      });
      rig.submitSync({ bytes: BYTES });
      assertEquals(rig.finish()[0]?.res, -EIO);
      assertEquals(rig.order("submit_bio").length, 64);
    }
  }
});

Deno.test("error-reported: dioBioReap() finds a bio that failed between 64 and 128 at the second look", () => {
  const rig = new Rig({
    device: { completion: "inline", faults: [{ nth: 65 }] },
    ops: { getBlock: reversedBlock },
  });
  rig.submitSync({ bytes: BYTES });
  assertEquals(rig.finish()[0]?.res, -EIO);
  assertEquals(rig.order("submit_bio").length, 128);
});

Deno.test("error-reported: the failure of a bio that is found only while waiting is reported as well", () => {
  for (const nth of [1, 100, BIOS]) {
    const rig = new Rig({
      device: { faults: [{ nth }] },
      ops: { getBlock: reversedBlock },
    });
    rig.submitSync({ bytes: BYTES });
    assertEquals(rig.finish()[0]?.res, -EIO);
  }
});

Deno.test("error-reported: an asynchronous request of many bios submits all, and reports the one that failed", () => {
  for (const completion of ["softirq", "inline"] as const) {
    const rig = new Rig({
      device: { completion, faults: [{ nth: 3 }] },
      ops: { getBlock: reversedBlock },
    });
    assertEquals(rig.result({ bytes: BYTES }), -EIO);
    assertEquals(rig.order("submit_bio").length, BIOS);
  }
});

Deno.test("released-once: a request of many bios leaves no bio and no pin in any order (seeds 1 to 20)", () => {
  for (const seed of seeds(20)) {
    const rig = new Rig({
      strategy: random(seed),
      device: { faults: [{ nth: 5, open: true }] },
      ops: { getBlock: reversedBlock },
    });
    rig.submitSync({ bytes: BYTES });
    const res = rig.finish()[0]?.res;
    assertEquals(res === BYTES || res === -EIO, true, `random(${seed})`);
  }
});

Deno.test("DioAwait says what the submitter waits for when a bio never ends", () => {
  const rig = new Rig({ ops: { getBlock: reversedBlock } });
  let lost = 0;
  const submitBio = rig.device.submitBio.bind(rig.device);
  rig.device.submitBio = (bio) => lost++ === 0 ? null : submitBio(bio);
  rig.submitSync({ bytes: 8192 });
  assertEquals(
    rig.kernel.run().hung,
    "nobody is left to wake the one who waits; task dd-10 waits since 100 ns for the bios of dio 1 to end, 1 in flight",
  );
});
