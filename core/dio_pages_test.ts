import { assert, assertEquals } from "@std/assert";
import { READ, type Rw, WRITE } from "./bio.ts";
import { EFAULT, EIO } from "./errno.ts";
import {
  PROFILES,
  reversedBlock,
  Rig,
  type RigOptions,
} from "./testdata/identity_fs.ts";

/** Each bio's first sector and size. */
function sent(rig: Rig): unknown[] {
  return rig.events("submit_bio").map(({ sector, size }) => [sector, size]);
}

/** A request of three pages of which the memory of one is not there. */
function faulting(rw: Rw, missing: number, options: RigOptions = {}): {
  rig: Rig;
  res: number;
} {
  const rig = new Rig({ iSize: 1 << 19, ...options });
  rig.device.store.fill(9);
  const buffer = rig.buffer(12288, 5);
  rig.kernel.memory.unmap(buffer.base + missing * 4096, 4096);
  return { rig, res: rig.result({ rw, iov: [buffer] }) };
}

Deno.test("released-once: dioGetPage() that fails at the first page ends the request with -EFAULT, nothing submitted", () => {
  for (const profile of PROFILES) {
    for (const rw of [READ, WRITE] as const) {
      const { rig, res } = faulting(rw, 0, { profile });
      assertEquals([res, rig.order("submit_bio", "get_block")], [-EFAULT, []]);
    }
  }
});

Deno.test("partial-progress: a read that faults half way gives -EFAULT in v3.12, and what it read since", () => {
  assertEquals(faulting(READ, 2, { profile: "v3.12" }).res, -EFAULT);
  assertEquals(faulting(READ, 2, { profile: "v6.1" }).res, 8192);
});

Deno.test("result-precedence: a write that faults half way writes zeros to the blocks that are mapped, and gives -EFAULT", () => {
  for (const profile of PROFILES) {
    const { rig, res } = faulting(WRITE, 1, { profile });
    assertEquals(res, -EFAULT);
    const { store } = rig.device;
    const blocks = [0, 1, 2, 3].map((i) => store[i * 4096 + 100]);
    // What lies behind the fault is never pinned.
    assertEquals(blocks, [5, 0, 0, 9]);
    assertEquals(rig.events("dio_page_error").map(({ error }) => error), [
      -EFAULT,
    ]);
  }
});

Deno.test("result-precedence: a write that faults half way and whose bio fails gives -EFAULT", () => {
  for (const profile of PROFILES) {
    const device = { faults: [{ nth: 1, error: -EIO }] };
    assertEquals(faulting(WRITE, 1, { profile, device }).res, -EFAULT);
  }
});

Deno.test("result-precedence: a write that faults where no block is mapped stops there with -EFAULT", () => {
  for (const profile of PROFILES) {
    const { rig, res } = faulting(WRITE, 1, {
      profile,
      ops: { getBlock: reversedBlock },
    });
    // Since 3.16 a fault is a count when something was transferred.
    assertEquals(res, profile === "v3.12" ? -EFAULT : 4096);
    assertEquals(rig.order("dio_page_error"), []);
    assertEquals(sent(rig), [[2040, 4096]]);
  }
});

Deno.test("result-precedence: a write that used the zero page up to the end of its mapping stops with the page's error", () => {
  const { rig, res } = faulting(WRITE, 1, {
    profile: "v6.1",
    ops: {
      getBlock(_inode, iblock, bh) {
        bh.map(100 + 10 * iblock, Math.min(bh.bSize, 8192));
        return 0;
      },
    },
  });
  assertEquals(res, -EFAULT);
  assertEquals(sent(rig), [[800, 8192]]);
});

Deno.test("pages-dirtied: pages of a read are dirty at its end, those of a write are not", () => {
  for (const async of [true, false]) {
    for (const rw of [READ, WRITE] as const) {
      const rig = new Rig();
      const buffer = rig.buffer(4096);
      if (async) rig.submit({ rw, iov: [buffer] });
      else rig.submitSync({ rw, iov: [buffer] });
      rig.finish();
      const page = rig.kernel.memory.pin(buffer.base);
      assert(typeof page === "object");
      assertEquals(page.dirty, rw === READ);
    }
  }
});

Deno.test("pages-dirtied: pages of an asynchronous read are dirty before their bio is sent", () => {
  const rig = new Rig();
  rig.result({ rw: READ });
  assertEquals(rig.order("bio_set_pages_dirty", "submit_bio"), [
    "bio_set_pages_dirty",
    "submit_bio",
  ]);
});
