import { assertEquals } from "@std/assert";
import type { IoEvent } from "./kioctx.ts";
import { READ, WRITE } from "./bio.ts";
import { EAGAIN, EIO, EIOCBQUEUED } from "./errno.ts";
import { O_DIRECT } from "./fs.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, Rig, seeds } from "./testdata/identity_fs.ts";

/** Submits writes of one page each, and gives what `ioSubmit` returned. */
function* submitMany(rig: Rig, count: number): Task<number[]> {
  const file = { fInode: rig.inode, fFlags: O_DIRECT };
  const returned: number[] = [];
  for (let data = 0; data < count; data++) {
    const iov = [rig.buffer(4096)];
    const request = { file, rw: WRITE, iov, offset: data * 4096, data };
    returned.push(yield* rig.kernel.aio.ioSubmit(rig.ring, request));
  }
  return returned;
}

Deno.test("completion-ring: ioGetevents() gives events in the order of completion, not of submission", () => {
  const rig = new Rig({ device: { latency: { baseNs: 1000, perByteNs: 1 } } });
  rig.submit({ bytes: 16384, data: 1 });
  rig.submit({ offset: 16384, bytes: 4096, data: 2 });
  rig.submit({ offset: 32768, bytes: 8192, data: 3 });
  assertEquals(rig.finish(), [
    { data: 2, res: 4096 },
    { data: 3, res: 8192 },
    { data: 1, res: 16384 },
  ]);
});

Deno.test("completion-ring: ioGetevents() gives events in the order of their aio_complete (seeds 1 to 200)", () => {
  const orders = new Set<string>();
  for (const seed of seeds(200)) {
    const rig = new Rig({ strategy: random(seed) });
    for (const data of [0, 1, 2]) rig.submit({ offset: data * 4096, data });
    const results = rig.finish();
    assertEquals(
      rig.events("aio_complete").map(({ iocb }) => iocb),
      rig.events("io_getevents").map(({ iocb }) => iocb),
      `random(${seed})`,
    );
    orders.add(results.map(({ data }) => data).join());
  }
  assertEquals(orders.size, 6);
});

Deno.test("completion-ring: ioSubmit() gives -EAGAIN while every slot is taken, also by events that nobody took", () => {
  const rig = new Rig({ nrEvents: 2 });
  const { kernel, ring } = rig;
  const returned: number[][] = [];
  kernel.spawn(
    "fio",
    (function* (): Task<void> {
      returned.push(yield* submitMany(rig, 3));
      yield* kernel.sleep(10_000);
      assertEquals([ring.tail - ring.head, ring.available], [2, 0]);
      returned.push(yield* submitMany(rig, 1));
      assertEquals(yield* kernel.aio.ioGetevents(ring, 2, rig.results), 2);
      returned.push(yield* submitMany(rig, 1));
    })(),
  );
  rig.finish();
  assertEquals(returned, [[1, 1, -EAGAIN], [-EAGAIN], [1]]);
});

Deno.test("completion-ring: ioGetevents() overwrites no event of a ring that goes round (seeds 1 to 100)", () => {
  for (const seed of seeds(100)) {
    const rig = new Rig({ nrEvents: 2, strategy: random(seed) });
    const { kernel, ring } = rig;
    const seen: number[] = [];
    kernel.spawn(
      "fio",
      (function* (): Task<void> {
        for (let round = 0; round < 4; round++) {
          const events: IoEvent[] = [];
          yield* submitMany(rig, 2);
          while (events.length < 2) {
            const some: IoEvent[] = [];
            yield* kernel.aio.ioGetevents(ring, 1, some);
            events.push(...some);
          }
          seen.push(...events.map(({ data }) => data).sort());
        }
      })(),
    );
    rig.finish();
    assertEquals(seen, [0, 1, 0, 1, 0, 1, 0, 1], `random(${seed})`);
  }
});

Deno.test("ioGetevents() waits for as many events as it is told, and takes those beyond", () => {
  const rig = new Rig({ device: { latency: { baseNs: 1000 } } });
  const { kernel, ring } = rig;
  const taken: number[] = [];
  kernel.spawn(
    "fio",
    (function* (): Task<void> {
      yield* submitMany(rig, 3);
      const events: IoEvent[] = [];
      taken.push(yield* kernel.aio.ioGetevents(ring, 0, events));
      taken.push(yield* kernel.aio.ioGetevents(ring, 2, events));
    })(),
  );
  assertClean(kernel.run());
  assertEquals([taken[0], (taken[1] ?? 0) >= 2], [0, true]);
});

Deno.test("ioGetevents() that waits for an event nobody sends is reported as hung", () => {
  const { kernel, ring } = new Rig();
  kernel.spawn("fio", kernel.aio.ioGetevents(ring, 1, []));
  assertEquals(
    kernel.run().hung,
    "nobody is left to wake the one who waits; task fio-10 waits since 100 ns for an event on the completion ring (0 requests not reaped), and nobody has ever woken that queue",
  );
});

Deno.test("one-completion: ioSubmit() completes a request that its file operation did not queue", () => {
  for (const ret of [4096, 0, -EIO]) {
    const rig = new Rig({ fs: { aioWrite: () => ret } });
    assertEquals(rig.result(), ret);
    assertEquals(rig.order("aio_complete").length, 1);
  }
});

Deno.test("one-completion: ioSubmit() leaves a queued request to its callback", () => {
  const rig = new Rig({
    fs: {
      aioWrite(iocb) {
        rig.kernel.raise("softirq", {
          irq: () => rig.kernel.aio.aioComplete(iocb, 512),
        }, null);
        return -EIOCBQUEUED;
      },
    },
  });
  assertEquals(rig.result(), 512);
  assertEquals(rig.events("aio_complete").map(({ ctx }) => ctx), ["softirq"]);
});

Deno.test("one-completion: aioComplete() of a request that is gone is a KernelBug", () => {
  const rig = new Rig({
    fs: {
      *aioWrite(iocb): Task<number> {
        yield* rig.kernel.aio.aioComplete(iocb, 512);
        return 512;
      },
    },
  });
  rig.submit();
  assertEquals(rig.kernel.run().bug?.rule, "no-use-after-release/slab");
});

Deno.test("syncRw() gives the result to its caller and leaves no event (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const rig = new Rig({ strategy: random(seed) });
    const iov = [rig.buffer(4096, 7)];
    rig.submitSync({ iov, data: 9 });
    assertEquals(rig.finish(), [{ data: 9, res: 4096 }]);
    assertEquals(
      rig.device.store.subarray(0, 4096).every((b) => b === 7),
      true,
    );
    assertEquals(rig.order("aio_complete", "io_getevents"), []);
  }
});

Deno.test("syncRw() waits for a request that a filesystem queued all the same (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const rig = new Rig({
      strategy: random(seed),
      fs: {
        aioRead(iocb) {
          rig.kernel.raise("softirq", {
            irq: () => rig.kernel.aio.aioComplete(iocb, -EIO),
          }, null);
          return -EIOCBQUEUED;
        },
      },
    });
    rig.submitSync({ rw: READ });
    assertEquals(rig.finish(), [{ data: 1, res: -EIO }]);
  }
});

Deno.test("ioSubmit() and syncRw() give -EAGAIN when there is no memory for the request", () => {
  const rig = new Rig({ allocFaults: [{ what: "kiocb", nth: 1 }] });
  const returned: number[][] = [];
  rig.kernel.spawn(
    "fio",
    (function* (): Task<void> {
      returned.push(yield* submitMany(rig, 2));
    })(),
  );
  rig.finish();
  assertEquals(returned, [[-EAGAIN, 1]]);
  const other = new Rig({ allocFaults: [{ what: "kiocb", nth: 1 }] });
  other.submitSync();
  assertEquals(other.finish()[0]?.res, -EAGAIN);
});
