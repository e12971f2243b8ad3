import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bio,
  finish,
  Kernel,
  type KernelOptions,
  type Page,
  READ,
  type Rw,
  submitBio,
  WRITE,
} from "../core/mod.ts";
import { MemoryDevice, type MemoryDeviceOptions } from "./memory_device.ts";

const PAGE = 4096;

/** What a bio came to. */
interface End {
  readonly label: string;
  readonly error: number;
  /** The kind of context it ended in. */
  readonly ctx: string;
  /** Virtual time, in nanoseconds. */
  readonly ts: number;
}

/** A kernel with a memory device, and a record of how bios end. */
class Machine {
  readonly device: MemoryDevice;
  readonly kernel: Kernel;
  readonly ends: End[] = [];

  constructor(
    options: Partial<MemoryDeviceOptions> = {},
    kernelOptions: KernelOptions = {},
  ) {
    this.device = new MemoryDevice({ sizeBytes: 1 << 16, ...options });
    this.kernel = new Kernel(kernelOptions);
    this.device.attach(this.kernel);
  }

  /** Makes a bio with nothing in it that records its end. */
  bio(label: string, rw: Rw, sector: number): Bio {
    const { kernel, ends } = this;
    const bio = kernel.bios.alloc(rw, this.device, sector);
    bio.biEndIo = ({ biError: error }) => {
      const { current, now } = kernel;
      ends.push({ label, error, ctx: current.kind, ts: now });
      return finish(kernel.bios.put(bio));
    };
    return bio;
  }

  /** Adds a piece of a fresh page to a bio; gives the piece's bytes. */
  addPiece(bio: Bio, offset: number, length: number): Uint8Array {
    const { memory } = this.kernel;
    const addr = memory.alloc(PAGE);
    bio.addPage(memory.pin(addr) as Page, offset, length);
    return memory.bytes(addr + offset, length);
  }

  /** Submits a bio of some sectors from a task. */
  submit(label: string, rw: Rw, sector: number, sectors = 1): void {
    const bio = this.bio(label, rw, sector);
    this.addPiece(bio, 0, sectors * 512).fill(label.charCodeAt(0));
    this.submitBio(bio);
  }

  submitBio(bio: Bio): void {
    this.kernel.spawn(
      "submitter",
      (function* () {
        const inline = submitBio(bio);
        if (inline !== null) yield* inline;
      })(),
    );
  }

  run(): End[] {
    assertEquals(this.kernel.run().hung, null);
    return this.ends;
  }

  /** Runs; gives the labels of the bios with what they ended with. */
  errors(): [string, number][] {
    return this.run().map(({ label, error }) => [label, error]);
  }

  /** The bytes of a range of sectors, each sector one letter. */
  sectors(first: number, count: number): string {
    const { store } = this.device;
    return Array.from({ length: count }, (_, i) => {
      const at = (first + i) * 512;
      const bytes = new Set(store.subarray(at, at + 512));
      const [byte] = bytes;
      if (bytes.size !== 1) return "?";
      return byte === 0 ? "." : String.fromCharCode(byte ?? 0);
    }).join("");
  }
}

Deno.test("MemoryDevice is full of zeros and has defaults", () => {
  const device = new MemoryDevice({ sizeBytes: PAGE });
  const { name, sizeBytes, logicalBlockSize, store } = device;
  assertEquals([name, sizeBytes, logicalBlockSize], ["sda", PAGE, 512]);
  assertEquals(store, new Uint8Array(PAGE));
  assertEquals(device.flush(), 0);
});

Deno.test("MemoryDevice must be whole blocks", () => {
  for (
    const [sizeBytes, logicalBlockSize] of [
      [0, 512],
      [-512, 512],
      [511, 512],
      [NaN, 512],
      [PAGE + 512, 4096],
    ] as const
  ) {
    assertThrows(
      () => new MemoryDevice({ name: "sdb", sizeBytes, logicalBlockSize }),
      RangeError,
      `Cannot make memory device sdb: ${sizeBytes} bytes are not whole ` +
        `blocks of ${logicalBlockSize}`,
    );
  }
});

Deno.test("MemoryDevice.submitBio() asks for a kernel", () => {
  const device = new MemoryDevice({ sizeBytes: PAGE });
  const bio = new Kernel().bios.alloc(READ, device, 0);
  assertThrows(() => submitBio(bio), TypeError, "call attach() first");
});

Deno.test("MemoryDevice takes whole blocks inside it only", () => {
  const machine = new Machine({ sizeBytes: 2 * PAGE, logicalBlockSize: 4096 });
  for (
    const [sector, bytes] of [[1, PAGE], [0, 512], [16, PAGE], [-8, PAGE]]
  ) {
    const bio = machine.bio("a", WRITE, sector ?? NaN);
    machine.addPiece(bio, 0, bytes ?? NaN);
    assertThrows(() => submitBio(bio), RangeError, "are not whole blocks");
  }
});

Deno.test("MemoryDevice transfers pieces of pages in their order", () => {
  const machine = new Machine();
  const write = machine.bio("w", WRITE, 3);
  for (
    const [letter, offset, length] of [
      ["a", 512, 1024],
      ["b", 0, PAGE],
      ["c", PAGE - 512, 512],
    ] as const
  ) {
    machine.addPiece(write, offset, length).fill(letter.charCodeAt(0));
  }
  machine.submitBio(write);
  machine.run();
  assertEquals(machine.sectors(0, 16), "...aabbbbbbbbc..");

  const read = machine.bio("r", READ, 4);
  const pieces = [[0, 512], [1024, 1024], [512, 3584], [0, 1024]].map((
    [offset = 0, length = 0],
  ) => machine.addPiece(read, offset, length));
  machine.submitBio(read);
  machine.run();
  const letters = pieces.map((piece) =>
    String.fromCharCode(...piece.filter((_, i) => i % 512 === 0))
  );
  assertEquals(letters, ["a", "bb", "bbbbbbc", "\0\0"]);
});

Deno.test("MemoryDevice transfers when the bio ends, not before", () => {
  const machine = new Machine({ latency: { baseNs: 1000 } });
  const bio = machine.bio("w", WRITE, 0);
  const data = machine.addPiece(bio, 0, 512).fill(97);
  machine.submitBio(bio);
  machine.kernel.spawn(
    "later",
    (function* () {
      yield* machine.kernel.sleep(200);
      assertEquals(machine.sectors(0, 1), ".");
      data.fill(98);
    })(),
  );
  machine.run();
  assertEquals(machine.sectors(0, 1), "b");
});

for (
  const [completion, ctx] of [
    [undefined, "softirq"],
    ["softirq", "softirq"],
    ["hardirq", "hardirq"],
    ["inline", "task"],
  ] as const
) {
  Deno.test(`MemoryDevice ends bios in a ${ctx}: ${completion}`, () => {
    const machine = new Machine(
      completion === undefined ? {} : { completion },
    );
    machine.submit("w", WRITE, 0);
    assertEquals(machine.run().map((end) => end.ctx), [ctx]);
    assertEquals(machine.sectors(0, 2), "w.");
  });
}

Deno.test("MemoryDevice ends an inline bio before submission returns", () => {
  const machine = new Machine({ completion: "inline", faults: [{ nth: 1 }] });
  const { kernel } = machine;
  kernel.spawn(
    "submitter",
    (function* () {
      const inline = submitBio(machine.bio("w", WRITE, 0));
      if (inline !== null) yield* inline;
      assertEquals(machine.ends.map(({ error }) => error), [-5]);
    })(),
  );
  assertEquals(machine.run().length, 1);
});

Deno.test("MemoryDevice without latency ends bios as they came", () => {
  const machine = new Machine();
  for (const label of ["a", "b", "c"]) machine.submit(label, READ, 0);
  assertEquals(machine.run().map(({ label }) => label), ["a", "b", "c"]);
});

Deno.test("MemoryDevice with latency ends short bios first", () => {
  const latency = { baseNs: 10_000, perByteNs: 10 };
  const machine = new Machine({ latency });
  machine.submit("large", WRITE, 0, 8);
  machine.submit("small", WRITE, 8, 1);
  machine.submit("middle", WRITE, 16, 2);
  const ends = machine.run();
  assertEquals(ends.map(({ label }) => label), ["small", "middle", "large"]);
  const times = Object.fromEntries(ends.map(({ label, ts }) => [label, ts]));
  // Each context that starts uses 100 ns.
  assertEquals(times, {
    small: 200 + 10_000 + 10 * 512 + 100,
    middle: 300 + 10_000 + 10 * 1024 + 100,
    large: 100 + 10_000 + 10 * 4096 + 100,
  });
});

Deno.test("MemoryDevice with equal latencies keeps the order", () => {
  const machine = new Machine({ latency: { baseNs: 10_000 } });
  machine.submit("a", WRITE, 0, 8);
  machine.submit("b", WRITE, 8, 1);
  assertEquals(machine.run().map(({ label }) => label), ["a", "b"]);
});

Deno.test("MemoryDevice with faults fails the nth bio, with the data", () => {
  const machine = new Machine({ faults: [{ nth: 2, error: -28 }] });
  for (const [i, label] of ["a", "b", "c"].entries()) {
    machine.submit(label, WRITE, i);
  }
  assertEquals(machine.errors(), [["a", 0], ["b", -28], ["c", 0]]);
  assertEquals(machine.sectors(0, 4), "a.c.");
});

Deno.test("MemoryDevice with faults fails what touches a sector", () => {
  const machine = new Machine({ faults: [{ sector: 8 }] });
  machine.submit("before", WRITE, 0, 8);
  machine.submit("last", WRITE, 5, 4);
  machine.submit("first", WRITE, 8, 1);
  machine.submit("after", WRITE, 9, 8);
  assertEquals(machine.errors(), [
    ["before", 0],
    ["last", -5],
    ["first", -5],
    ["after", 0],
  ]);
});

Deno.test("MemoryDevice with faults fails one direction", () => {
  for (const op of ["read", "write"] as const) {
    const machine = new Machine({ faults: [{ op }] });
    machine.submit("read", READ, 0);
    machine.submit("write", WRITE, 1);
    assertEquals(machine.errors(), [
      ["read", op === "read" ? -5 : 0],
      ["write", op === "write" ? -5 : 0],
    ]);
    assertEquals(machine.sectors(0, 2), op === "read" ? ".w" : "..");
  }
});

Deno.test("MemoryDevice with faults wants every condition to hold", () => {
  const machine = new Machine({
    faults: [{ nth: 3, sector: 4, op: "write" }, { nth: 4, error: -11 }],
  });
  machine.submit("a", WRITE, 4);
  machine.submit("b", READ, 4);
  machine.submit("c", WRITE, 4);
  machine.submit("d", WRITE, 4);
  assertEquals(machine.errors(), [["a", 0], ["b", 0], ["c", -5], ["d", -11]]);
});

Deno.test("MemoryDevice with faults takes the first that fits", () => {
  const machine = new Machine({
    faults: [{ sector: 0, error: -11 }, { nth: 1, error: -28 }],
  });
  machine.submit("a", WRITE, 0);
  machine.submit("b", WRITE, 1);
  assertEquals(machine.errors(), [["a", -11], ["b", 0]]);
});

Deno.test("MemoryDevice leaves an open fault to the strategy", () => {
  const asked: string[] = [];
  const struck = (answer: number): [string, number][] => {
    const machine = new Machine({ faults: [{ nth: 1, open: true }] }, {
      strategy: {
        name: "told",
        stepping: true,
        pick: () => 0,
        choose: (_options, what) => {
          asked.push(what);
          return answer;
        },
      },
    });
    machine.submit("a", WRITE, 0);
    return machine.errors();
  };
  assertEquals(struck(0), [["a", 0]]);
  assertEquals(struck(1), [["a", -5]]);
  assertEquals(asked, ["whether bio 1 fails", "whether bio 1 fails"]);
});

Deno.test("MemoryDevice.attach() keeps the data and counts anew", () => {
  const first = new Machine({ faults: [{ nth: 2 }] });
  first.submit("a", WRITE, 0);
  first.run();
  const second = new Machine();
  const { device } = first;
  device.attach(second.kernel);
  const errors: number[] = [];
  for (let i = 0; i < 2; i++) {
    const bio = second.kernel.bios.alloc(READ, device, 0);
    const data = second.addPiece(bio, 0, 512);
    bio.biEndIo = () => {
      errors.push(bio.biError);
      assertEquals(data[0], i === 0 ? 97 : 0);
      return finish(undefined);
    };
    submitBio(bio);
  }
  second.run();
  assertEquals(errors, [0, -5]);
});
