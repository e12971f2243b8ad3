// What user space knows of a file: reader-sees-data and size-after-data as a
// user sees them.

import { assertEquals } from "@std/assert";
import { STALE, UserFile } from "./user_file.ts";

const SECTOR = 512;

/** A file of so many sectors, and what can be done to it, in sectors. */
function user(sectors: number, mayFail = false) {
  const file = new UserFile({
    layout: { size: sectors * SECTOR, extents: [] },
    mayFail,
  });
  let nth = 0;
  const writes = (at: number, count = 1) => {
    const content = new Uint8Array(count * SECTOR);
    const write = file.writeBegins(content, at * SECTOR, ++nth);
    const end = (done = count) => file.writeEnds(write, done * SECTOR, false);
    return { byte: content[0] as number, end };
  };
  const reads = (at: number, count = 1) => {
    const read = file.readBegins(at * SECTOR, count * SECTOR);
    /** How many of the bytes read were wrong, when each sector held one. */
    return (...got: number[]) => {
      const buffer = new Uint8Array(got.length * SECTOR);
      got.forEach((byte, i) => buffer.fill(byte, i * SECTOR, (i + 1) * SECTOR));
      return (file.readEnds(read, buffer)?.wrong ?? 0) / SECTOR;
    };
  };
  const truncates = (size: number) => {
    const cut = file.truncateBegins(size * SECTOR);
    return (hasFailed = false) => file.cutEnds(cut, hasFailed);
  };
  const punches = (from: number, to: number) => {
    const cut = file.cutBegins(from * SECTOR, to * SECTOR);
    return () => file.cutEnds(cut, false);
  };
  return { file, writes, reads, truncates, punches };
}

Deno.test("UserFile: what was reported is what a later read has to get", () => {
  const { writes, reads } = user(2);
  assertEquals(reads(0, 2)(0, 0), 0);
  const { byte, end } = writes(0);
  end();
  assertEquals(reads(0, 2)(byte, 0), 0);
  assertEquals(reads(0)(0), 1);
  const second = writes(0);
  second.end();
  assertEquals([reads(0)(byte), reads(0)(second.byte)], [1, 0]);
});

Deno.test("UserFile: a read that began before a report may get the old bytes, and no others", () => {
  const { writes, reads } = user(1);
  const before = reads(0);
  const during = reads(0);
  const { byte, end } = writes(0);
  const other = reads(0);
  const wrong = byte + 1;
  assertEquals([before(0), during(byte), other(wrong)], [0, 0, 1]);
  const late = reads(0);
  end();
  assertEquals([late(0), reads(0)(0)], [0, 1]);
});

Deno.test("UserFile: of two writes at once either may be the last", () => {
  const { writes, reads } = user(1);
  const [one, two] = [writes(0), writes(0)];
  one.end();
  assertEquals(reads(0)(0), 1);
  two.end();
  const got = [one.byte, two.byte, 0].map((byte) => reads(0)(byte));
  assertEquals(got, [0, 0, 1]);
});

Deno.test("UserFile: nobody can say what a write has left that failed", () => {
  const { writes, reads } = user(2);
  writes(0, 2).end(1);
  assertEquals([reads(0)(0), reads(1)(0), reads(1)(99)], [1, 0, 0]);
  const { reads: readsOther, writes: writesOther } = user(1, true);
  writesOther(0);
  assertEquals(readsOther(0)(99), 0);
});

Deno.test("UserFile: what was cut off is zeros when the call has returned, and may be before", () => {
  const { writes, reads, punches } = user(3);
  const written = writes(0, 3);
  written.end();
  const { byte } = written;
  const end = punches(0, 1);
  assertEquals([reads(0)(byte), reads(0)(0), reads(0)(byte + 1)], [0, 0, 1]);
  end();
  assertEquals([reads(0)(byte), reads(0)(0), reads(1)(0)], [1, 0, 1]);
});

Deno.test("UserFile: a write beside a truncate is there or cut off", () => {
  const { writes, reads, truncates } = user(1);
  const end = truncates(0);
  const write = writes(0);
  write.end();
  end();
  const got = [write.byte, 0, write.byte + 1].map((byte) => reads(0)(byte));
  assertEquals(got, [0, 0, 1]);
});

Deno.test("UserFile: a truncate that failed has cut off nothing, or something", () => {
  const { writes, reads, truncates } = user(1);
  const write = writes(0);
  write.end();
  truncates(0)(true);
  assertEquals([reads(0)(write.byte), reads(0)(0)], [0, 0]);
});

Deno.test("UserFile: whoever reads behind the old end while a write appends gets its bytes, not zeros", () => {
  const { writes, reads } = user(1);
  const { byte } = writes(1);
  assertEquals([reads(1)(byte), reads(1)(0), reads(1)()], [0, 1, 0]);
});

Deno.test("UserFile: the hole before an append reads as zeros, also where another append is under way", () => {
  const { writes, reads } = user(1);
  const { byte } = writes(1);
  writes(3);
  const got = [byte, 0, byte + 1].map((byte) => reads(1)(byte));
  assertEquals(got, [0, 0, 1]);
  assertEquals([reads(2)(0), reads(3)(0)], [0, 1]);
});

Deno.test("UserFile: a truncate may make a hole where an append is under way", () => {
  const { writes, reads, truncates } = user(1);
  writes(1);
  truncates(2)();
  assertEquals(reads(1)(0), 0);
});

Deno.test("UserFile: a sector that is cut off in part holds its bytes or zeros", () => {
  const { file, writes, reads } = user(1);
  const write = writes(0);
  write.end();
  file.cutEnds(file.truncateBegins(300), false);
  assertEquals([reads(0)(write.byte), reads(0)(0)], [0, 0]);
});

Deno.test("UserFile: the power takes away what no fsync has made stable", () => {
  const { file, writes, reads } = user(2);
  writes(0).end();
  const known = file.known();
  writes(1).end();
  file.synced(known);
  file.powerCut();
  assertEquals([reads(0)(0), reads(1)(0)], [1, 0]);
});

Deno.test("UserFile: written blocks hold what the device did, unwritten ones zeros", () => {
  const extents = [
    { offset: 0, bytes: SECTOR, state: "written" },
    { offset: SECTOR, bytes: SECTOR, state: "unwritten" },
  ] as const;
  const layout = { size: 2 * SECTOR, extents };
  const file = new UserFile({ layout, mayFail: false });
  const got = new Uint8Array(2 * SECTOR).fill(STALE);
  const read = file.readBegins(0, 2 * SECTOR);
  assertEquals(file.readEnds(read, got)?.at, SECTOR);
});
