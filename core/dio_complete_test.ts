import { assertEquals } from "@std/assert";
import type { Kiocb } from "./aio.ts";
import { READ, WRITE } from "./bio.ts";
import { Dio } from "./dio.ts";
import { EFAULT, EINVAL, EIO, EIOCBQUEUED, ENOMEM } from "./errno.ts";
import { O_DIRECT, O_DSYNC } from "./fs.ts";
import { Kernel } from "./kernel.ts";
import type { ProfileName } from "./profile.ts";
import { random } from "./strategy.ts";
import { PROFILES, reversedBlock, Rig, seeds } from "./testdata/identity_fs.ts";

/** What the core makes of a submission's outcome and a dio's errors. */
function resultOf(
  profile: ProfileName,
  ret: number,
  pageErrors: number,
  ioError: number,
  transferred: number,
): number {
  const { directIo } = new Kernel({ profile, tracing: false });
  const dio = new Dio();
  Object.assign(dio, { rw: WRITE, pageErrors, ioError });
  dio.submitted = ret;
  dio.result = transferred;
  directIo.dioResult(dio);
  return dio.value;
}

Deno.test.each<[string, number, number, number, number, number]>([
  ["a count", 0, 0, 0, 4096, 4096],
  ["the queued code and a count", -EIOCBQUEUED, 0, 0, 4096, 4096],
  ["nothing", 0, 0, 0, 0, 0],
  ["a bio error", 0, 0, -EIO, 4096, -EIO],
  ["the queued code and a bio error", -EIOCBQUEUED, 0, -EIO, 4096, -EIO],
  ["a page error over a bio error", 0, -EFAULT, -EIO, 4096, -EFAULT],
  ["a submit error over a page error", -ENOMEM, -EFAULT, 0, 4096, -ENOMEM],
  ["a submit error over a bio error", -EINVAL, 0, -EIO, 4096, -EINVAL],
  ["a submit error over all", -ENOMEM, -EFAULT, -EIO, 4096, -ENOMEM],
])(
  "result-precedence: dioResult() reports %s",
  (_name, ret, page, io, count, expected) => {
    for (const profile of PROFILES) {
      assertEquals(resultOf(profile, ret, page, io, count), expected, profile);
    }
  },
);

Deno.test("result-precedence: dioResult() of a fault half way is the fault in v3.12 and the count since", () => {
  assertEquals(resultOf("v3.12", -EFAULT, 0, 0, 4096), -EFAULT);
  assertEquals(resultOf("v6.1", -EFAULT, 0, 0, 4096), 4096);
  assertEquals(resultOf("v6.1", -EFAULT, 0, -EIO, 4096), -EIO);
  assertEquals(resultOf("v6.1", -EFAULT, -EFAULT, 0, 4096), -EFAULT);
  assertEquals(resultOf("v6.1", -EFAULT, 0, 0, 0), -EFAULT);
});

Deno.test.each<[number, number, number, number]>([
  [0, 8192, 5000, 5000],
  [4096, 4096, 5000, 904],
  [0, 4096, 8192, 4096],
  [4096, 4096, 8192, 4096],
])(
  "read-within-size: dioResult() of a read at %i of %i bytes from a file of %i is %i",
  (offset, result, iSize, expected) => {
    const { directIo } = new Kernel({ tracing: false });
    const dio = new Dio();
    Object.assign(dio, { rw: READ, result, iSize, offset });
    directIo.dioResult(dio);
    assertEquals([dio.transferred, dio.value], [expected, expected]);
    dio.rw = WRITE;
    directIo.dioResult(dio);
    assertEquals(dio.transferred, result);
  },
);

const COMPLETION = [
  "end_io",
  "end_io_return",
  "inode_dio_done",
  "aio_complete",
  "dio_free",
];

/**
 * The completion events of every request and the order they have to be in. A
 * request that its submitter completes is freed first: its result is
 * returned, and what comes after is the caller's.
 */
function completions(rig: Rig, sync: string[] = []): {
  actual: string[][];
  expected: string[][];
} {
  const events = rig.events(...COMPLETION, ...sync);
  const requests = rig.events("dio_complete");
  const head = COMPLETION.slice(0, 3);
  return {
    actual: requests.map(({ dio, iocb }) =>
      events.filter((event) =>
        event.dio === undefined ? event.iocb === iocb : event.dio === dio
      ).map(({ ev }) => ev)
    ),
    expected: requests.map(({ is_async }) =>
      is_async === 1
        ? [...head, ...sync, "aio_complete", "dio_free"]
        : [...head, "dio_free", ...sync, "aio_complete"]
    ),
  };
}

for (const profile of PROFILES) {
  Deno.test(`completion-order: dioComplete() in ${profile} calls end_io, drops the count, calls back and frees, in this order (seeds 1 to 300)`, () => {
    for (const seed of seeds(300)) {
      const rig = new Rig({
        profile,
        strategy: random(seed),
        ops: { getBlock: reversedBlock, endIo: () => 0 },
      });
      rig.submit({ bytes: 8192 });
      rig.submit({ offset: 8192, bytes: 8192, rw: READ });
      rig.submit({ offset: 16384 });
      rig.finish();
      const { actual, expected } = completions(rig);
      assertEquals(actual, expected, `random(${seed})`);
    }
  });

  Deno.test(`completion-order: dioComplete() in ${profile} makes an O_DSYNC write stable between the count and the callback (seeds 1 to 100)`, () => {
    for (const seed of seeds(100)) {
      const rig = new Rig({
        profile,
        strategy: random(seed),
        ops: { endIo: () => 0 },
      });
      rig.submit({ fFlags: O_DIRECT | O_DSYNC });
      rig.finish();
      const { actual, expected } = completions(rig, ["generic_write_sync"]);
      assertEquals(actual, expected, `random(${seed})`);
    }
  });

  Deno.test(`error-reported: dioComplete() in ${profile} reports the error of any one of three bios (seeds 1 to 60)`, () => {
    for (const nth of [1, 2, 3]) {
      for (const seed of seeds(60)) {
        const rig = new Rig({
          profile,
          strategy: random(seed),
          device: { faults: [{ nth }] },
          ops: { getBlock: reversedBlock },
        });
        assertEquals(rig.result({ bytes: 12288 }), -EIO, `random(${seed})`);
      }
    }
  });

  Deno.test(`one-completion: dioComplete() in ${profile} either returns the count or calls back, by who is last (seeds 1 to 200)`, () => {
    const ways = new Set<string>();
    for (const seed of seeds(200)) {
      const rig = new Rig({ profile, strategy: random(seed) });
      assertEquals(rig.result({ bytes: 8192 }), 8192);
      const [complete] = rig.events("dio_complete");
      const [returned] = rig.events("direct_IO_return");
      ways.add(`${complete?.is_async} in ${complete?.ctx}: ${returned?.ret}`);
      assertEquals(rig.order("aio_complete", "dio_free").length, 2);
    }
    assertEquals(
      ways,
      new Set([`1 in softirq: ${-EIOCBQUEUED}`, "0 in task: 8192"]),
    );
  });

  Deno.test(`one-completion: dioComplete() in ${profile} runs in the submitter when the bios end inside their submission`, () => {
    const rig = new Rig({ profile, device: { completion: "inline" } });
    assertEquals(rig.result({ bytes: 8192 }), 8192);
    assertEquals(
      rig.events("dio_complete", "direct_IO_return", "aio_complete").map(
        ({ ev, ctx, ret, is_async }) => [ev, ctx, ret, is_async],
      ),
      [
        ["dio_complete", "task", -EIOCBQUEUED, 0],
        ["direct_IO_return", "task", 8192, undefined],
        ["aio_complete", "task", undefined, undefined],
      ],
    );
  });
}

/** What `end_io` was told, and what came of its answer. */
function told(
  profile: ProfileName,
  answer: number,
  fault: boolean,
): { bytes: unknown[]; res: number } {
  const bytes: unknown[] = [];
  const rig = new Rig({
    profile,
    device: { faults: fault ? [{ nth: 1 }] : [] },
    ops: {
      endIo(_iocb, offset, count, priv) {
        bytes.push([offset, count, priv]);
        return answer;
      },
    },
  });
  return { res: rig.result({ offset: 4096, bytes: 8192 }), bytes };
}

Deno.test("convert-only-written: dioEndIo() is told the attempted bytes in v3.12 and the result since", () => {
  assertEquals(told("v3.12", 0, false).bytes, [[4096, 8192, null]]);
  assertEquals(told("v3.12", 0, true).bytes, [[4096, 8192, null]]);
  assertEquals(told("v6.1", 0, false).bytes, [[4096, 8192, null]]);
  assertEquals(told("v6.1", 0, true).bytes, [[4096, -EIO, null]]);
});

Deno.test("error-reported: dioEndIo() lets the handler's error replace the result, but not in v3.12", () => {
  assertEquals(told("v3.12", -ENOMEM, false).res, 8192);
  assertEquals(told("v6.1", -ENOMEM, false).res, -ENOMEM);
  assertEquals(told("v6.1", -ENOMEM, true).res, -ENOMEM);
  assertEquals(told("v6.1", 0, true).res, -EIO);
});

Deno.test("released-once: dioHasEndIo() is no in v3.12 when nothing was submitted, and yes since", () => {
  const calls = PROFILES.map((profile) => {
    const rig = new Rig({
      profile,
      ops: { getBlock: () => -ENOMEM, endIo: () => 0 },
    });
    assertEquals(rig.result(), -ENOMEM);
    return rig.events("end_io").map(({ bytes }) => bytes);
  });
  assertEquals(calls, [[], [-ENOMEM]]);
});

Deno.test("dioEndIo() is handed what the mapping left last, also when a later mapping left nothing", () => {
  for (const marked of [0, 1, 2]) {
    let given: unknown;
    const rig = new Rig({
      ops: {
        getBlock(inode, iblock, bh) {
          if (iblock === marked) bh.bPrivate = "unwritten";
          return reversedBlock(inode, iblock, bh);
        },
        endIo(_iocb, _offset, _bytes, priv) {
          given = priv;
        },
      },
    });
    rig.result({ bytes: 12288 });
    assertEquals(given, "unwritten");
  }
});

Deno.test("dioEndIo() is handed nothing that an earlier request left", () => {
  const given: unknown[] = [];
  const rig = new Rig({
    ops: {
      getBlock(inode, iblock, bh) {
        if (iblock === 0) bh.bPrivate = "unwritten";
        return reversedBlock(inode, iblock, bh);
      },
      endIo: (_iocb, _offset, _bytes, priv) => void given.push(priv),
    },
  });
  for (let i = 0; i < 70; i++) rig.submitSync({ offset: (i % 2) * 4096 });
  rig.finish();
  assertEquals(given.slice(-2), ["unwritten", null]);
});

Deno.test("position-once: dioComplete() moves ki_pos on asynchronous completion in v6.1, after end_io", () => {
  const positions = PROFILES.map((profile) => {
    let seen: Kiocb | null = null;
    let before = -1;
    const rig = new Rig({
      profile,
      ops: {
        endIo(iocb) {
          seen = iocb;
          before = iocb.kiPos;
          return 0;
        },
      },
    });
    rig.result({ offset: 4096, bytes: 8192 });
    return [before, (seen as Kiocb | null)?.kiPos];
  });
  assertEquals(positions, [[4096, 4096], [4096, 12288]]);
});
