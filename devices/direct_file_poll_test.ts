import { assert, assertEquals } from "@std/assert";
import {
  EAGAIN,
  EOPNOTSUPP,
  IOCB_HIPRI,
  type IoEvent,
  Kernel,
  O_DIRECT,
  type ProfileName,
  READ,
} from "../core/mod.ts";
import { Blkdev } from "../fs_models/mod.ts";
import { DirectFileDevice } from "./direct_file_device.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

const PAGE = 4096;
const PAGES = 16;

/** What reads came to, where their bios ended, and what was found polling. */
interface Outcome {
  readonly results: number[];
  readonly contexts: unknown[];
  readonly found: unknown[];
}

/** Reads pages of a file as a block device, all at once, each its own task. */
function readPages(
  profile: ProfileName,
  isSync: boolean,
  flagsOf: (page: number) => number,
): Outcome {
  using file = new TemporaryFile(PAGES * PAGE);
  const content = new Uint8Array(PAGES * PAGE);
  for (let page = 0; page < PAGES; page++) {
    content.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  }
  Deno.writeFileSync(file.path, content);
  using device = DirectFileDevice.open(file.path);
  const kernel = new Kernel({ profile, memory: device.memory(PAGES * PAGE) });
  device.attach(kernel);
  const { memory, aio } = kernel;
  const size = PAGES * PAGE;
  const fInode = new Blkdev(kernel, device).createFile({ size, extents: [] });
  const results: number[] = [];
  for (let page = 0; page < PAGES; page++) {
    const base = memory.alloc(PAGE);
    const iov = [{ base, len: PAGE }];
    const target = { fInode, fFlags: O_DIRECT };
    const [offset, flags] = [page * PAGE, flagsOf(page)];
    const ring = aio.ioSetup(1);
    kernel.spawn(
      "reader",
      (function* () {
        let result: number;
        if (isSync) {
          result = yield* aio.syncRw(target, READ, iov, offset, flags);
        } else {
          const request = { file: target, rw: READ, iov, offset, flags };
          yield* aio.ioSubmit(ring, { ...request, data: 0 });
          const events: IoEvent[] = [];
          yield* aio.ioGetevents(ring, 1, events);
          result = events[0]!.res;
        }
        results.push(result);
        if (result !== PAGE) return;
        assertEquals(new Set(memory.bytes(base, PAGE)), new Set([page + 1]));
      })(),
    );
  }
  const { bug, hung } = kernel.run();
  assertEquals([bug, hung], [null, null]);
  assertEquals(device.inFlight, 0);
  const events = [...kernel.trace.events()];
  return {
    results,
    contexts: events.filter(({ ev }) => ev === "bio_endio").map((e) => e.ctx),
    found: events.filter(({ ev }) => ev === "blk_poll").map((e) => e["found"]),
  };
}

fileTest(
  "poll-single-bio: DirectFileDevice ends a bio with REQ_POLLED in the task that polls",
  () => {
    const { results, contexts, found } = readPages(
      "v4.10",
      true,
      () => IOCB_HIPRI,
    );
    assertEquals(results, Array(PAGES).fill(PAGE));
    assertEquals(contexts, Array(PAGES).fill("task"));
    assertEquals(found, Array(PAGES).fill(1));
  },
);

fileTest(
  "poll-single-bio: DirectFileDevice ends others in interrupts while somebody polls",
  () => {
    const { results, contexts } = readPages(
      "v4.10",
      true,
      (page) => page % 2 === 0 ? IOCB_HIPRI : 0,
    );
    assertEquals(results, Array(PAGES).fill(PAGE));
    const ended = (ctx: string) =>
      contexts.filter((each) => each === ctx).length;
    assertEquals([ended("task"), ended("hardirq")], [PAGES / 2, PAGES / 2]);
  },
);

fileTest(
  "poll-single-bio: DirectFileDevice is polled by who reaps asynchronous requests",
  () => {
    const { results, contexts } = readPages("v6.1", false, () => IOCB_HIPRI);
    // Such a bio must not wait, and a filesystem may find that it would.
    const refusals = [-EAGAIN, -EOPNOTSUPP];
    assert(results.every((each) => each === PAGE || refusals.includes(each)));
    assertEquals(contexts, Array(PAGES).fill("task"));
  },
);

fileTest(
  "DirectFileDevice.poll() finds nothing of a bio that it does not have",
  () => {
    using file = new TemporaryFile(PAGE);
    using device = DirectFileDevice.open(file.path);
    device.attach(new Kernel({ memory: device.memory(PAGE) }));
    assertEquals(device.poll(1), null);
  },
);
