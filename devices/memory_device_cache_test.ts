import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bio,
  EAGAIN,
  EIO,
  finish,
  Kernel,
  type KernelOptions,
  type Page,
  READ,
  REQ_FUA,
  REQ_NOWAIT,
  REQ_POLLED,
  type Rw,
  SCHEDULE,
  type Strategy,
  submitBio,
  type Task,
  WRITE,
} from "../core/mod.ts";
import { ExhaustiveStrategy } from "../conformance/mod.ts";
import { MemoryDevice, type MemoryDeviceOptions } from "./memory_device.ts";

const BLOCK = 4096;

/** How a bio ended: its name, its error, the kind of context. */
type End = readonly [name: string, error: number, ctx: string];

/** A kernel with a memory device, and a record of how bios end. */
class Machine {
  readonly device: MemoryDevice;
  readonly kernel: Kernel;
  readonly ends: End[] = [];
  #last = 0;

  constructor(
    options: Partial<MemoryDeviceOptions> = {},
    kernelOptions: KernelOptions = {},
  ) {
    this.device = new MemoryDevice({
      sizeBytes: 16 * BLOCK,
      logicalBlockSize: 4096,
      ...options,
    });
    this.kernel = new Kernel(kernelOptions);
    this.device.attach(this.kernel);
  }

  /** A bio of one block that records its end. */
  bio(name: string, rw: Rw, block: number, opf = 0): Bio {
    const { kernel, device, ends } = this;
    const bio = kernel.bios.alloc(rw, device, block * 8);
    const addr = kernel.memory.alloc(BLOCK);
    this.#last = addr;
    kernel.memory.bytes(addr, BLOCK).fill(name.charCodeAt(0));
    bio.addPage(kernel.memory.pin(addr) as Page, 0, BLOCK);
    bio.biOpf = opf;
    bio.biEndIo = ({ biError }) => {
      ends.push([name, biError, kernel.current.kind]);
      return finish(kernel.bios.put(bio));
    };
    return bio;
  }

  /** Submits a write of one block from a task of its own. */
  write(name: string, block: number, opf = 0): void {
    this.submit(this.bio(name, WRITE, block, opf));
  }

  submit(bio: Bio): void {
    this.kernel.spawn(
      "submitter",
      (function* (): Task<void> {
        const inline = submitBio(bio);
        if (inline !== null) yield* inline;
      })(),
    );
  }

  run(): End[] {
    const { bug, hung } = this.kernel.run();
    assertEquals([bug, hung], [null, null]);
    return this.ends;
  }

  /** What the first blocks hold, a letter each. */
  blocks(count = 4): string {
    const letters = Array.from({ length: count }, (_, i) => {
      const bytes = new Set(
        this.device.store.subarray(i * BLOCK, (i + 1) * BLOCK),
      );
      const [byte] = bytes;
      if (bytes.size !== 1) return "?";
      return byte === 0 ? "." : String.fromCharCode(byte!);
    });
    return letters.join("");
  }

  /** The page of the bio that was made last. */
  lastPage(): Uint8Array {
    return this.kernel.memory.bytes(this.#last, BLOCK);
  }

  /** Writes blocks one after the other, cuts the power, gives what is left. */
  survivors(writes: readonly (readonly [string, number, number?])[]): string {
    for (const [name, block, opf] of writes) {
      this.write(name, block, opf);
      this.run();
    }
    this.device.powerCut();
    return this.blocks();
  }
}

/** Decides whether each write survives. */
function survival(...options: readonly number[]): Strategy {
  let next = 0;
  return {
    name: "survival",
    stepping: false,
    pick: (_runnable, current) => Math.max(current, 0),
    choose: () => options[next++] ?? 0,
  };
}

const cached = { volatileCache: true } as const;

Deno.test("MemoryDevice loses what its volatile cache holds when the power is cut", () => {
  const writes = [["a", 0], ["b", 1]] as const;
  assertEquals(new Machine(cached).survivors(writes), "....");
  assertEquals(new Machine().survivors(writes), "ab..");
});

Deno.test("MemoryDevice leaves to the strategy which writes survive a power cut", () => {
  const writes = [["a", 0], ["b", 1], ["c", 2]] as const;
  for (
    const [fates, left] of [
      [[0, 0, 0], "...."],
      [[1, 0, 0], "a..."],
      [[0, 1, 0], ".b.."],
      [[1, 0, 1], "a.c."],
      [[1, 1, 1], "abc."],
    ] as const
  ) {
    const strategy = survival(...fates);
    const machine = new Machine(cached, { strategy });
    assertEquals([fates, machine.survivors(writes)], [fates, left]);
    const [event] = [...machine.kernel.trace.events()]
      .filter(({ ev }) => ev === "power_cut");
    assertEquals(event?.["lost"], fates.filter((fate) => fate === 0).length);
  }
});

Deno.test("MemoryDevice has what was there before a write that is lost", () => {
  const machine = new Machine(cached);
  machine.write("a", 0, REQ_FUA);
  machine.run();
  assertEquals(machine.survivors([["b", 0]]), "a...");
});

Deno.test("dsync-durable: MemoryDevice keeps a write with REQ_FUA, and none before it", () => {
  const writes = [["a", 0], ["b", 1, REQ_FUA], ["c", 2]] as const;
  assertEquals(new Machine(cached).survivors(writes), ".b..");
});

Deno.test("dsync-durable: MemoryDevice never puts an older write over one with REQ_FUA", () => {
  const strategy = survival(1, 1);
  const writes = [["a", 0], ["b", 0, REQ_FUA]] as const;
  assertEquals(new Machine(cached, { strategy }).survivors(writes), "b...");
});

Deno.test("dsync-durable: MemoryDevice that ignores REQ_FUA loses such a write", () => {
  const machine = new Machine({ ...cached, ignoresFua: true });
  assertEquals(machine.survivors([["a", 0, REQ_FUA]]), "....");
});

Deno.test("MemoryDevice.flush() makes stable what has been written", () => {
  const machine = new Machine(cached);
  machine.write("a", 0);
  machine.run();
  assertEquals(machine.device.flush(), 0);
  assertEquals(machine.survivors([["b", 1]]), "a...");
});

Deno.test("MemoryDevice.powerCut() fails the bios that have not ended", () => {
  const machine = new Machine({ ...cached, latency: { baseNs: 1000 } });
  machine.write("a", 0);
  machine.kernel.spawn(
    "power",
    (function* (): Task<void> {
      yield SCHEDULE;
      machine.device.powerCut();
      machine.write("b", 1);
    })(),
  );
  assertEquals(machine.run(), [["a", -EIO, "softirq"], ["b", 0, "softirq"]]);
  assertEquals(machine.blocks(), ".b..");
});

Deno.test("MemoryDevice.reset() makes zeros stable", () => {
  const machine = new Machine(cached);
  machine.write("a", 0, REQ_FUA);
  machine.write("b", 1);
  machine.run();
  machine.device.reset();
  assertEquals(machine.survivors([]), "....");
});

Deno.test("MemoryDevice.powerCut() asks for a kernel", () => {
  assertThrows(
    () => new MemoryDevice({ sizeBytes: BLOCK }).powerCut(),
    TypeError,
    "Cannot cut the power: sda is not attached to a kernel",
  );
});

Deno.test("MemoryDevice must have room for a bio", () => {
  for (const queueDepth of [0, -1, NaN]) {
    assertThrows(
      () => new MemoryDevice({ sizeBytes: BLOCK, queueDepth }),
      RangeError,
      `a queue of ${queueDepth} holds no bio`,
    );
  }
});

Deno.test("MemoryDevice with a queue lets the next bio wait inside its submission", () => {
  const machine = new Machine({ queueDepth: 1, latency: { baseNs: 1000 } });
  for (const [i, name] of ["a", "b", "c"].entries()) machine.write(name, i);
  machine.run();
  const events = [...machine.kernel.trace.events()];
  const waits = events.filter(({ ev, fn }) =>
    ev === "might_sleep" && fn === "blk_mq_get_tag"
  );
  assertEquals(waits.length, 2);
  const times = events.filter(({ ev }) => ev === "bio_endio")
    .map(({ ts }) => ts);
  assertEquals(times.length, 3);
  for (const [i, ts] of times.slice(1).entries()) {
    assertEquals(ts - times[i]! >= 1000, true);
  }
});

Deno.test("nowait-all-or-nothing: MemoryDevice without room ends a bio with REQ_NOWAIT at once", () => {
  const machine = new Machine({ queueDepth: 1 });
  machine.write("a", 0, REQ_NOWAIT);
  machine.write("b", 1, REQ_NOWAIT);
  assertEquals(machine.run(), [["b", -EAGAIN, "task"], ["a", 0, "softirq"]]);
  assertEquals(machine.blocks(), "a...");
});

Deno.test("poll-single-bio: MemoryDevice that is polled ends a bio with REQ_POLLED when somebody looks", () => {
  const machine = new Machine({ completion: "polled" });
  const bio = machine.bio("a", READ, 0, REQ_POLLED);
  const { id } = bio;
  machine.submit(bio);
  machine.write("b", 1);
  assertEquals(machine.run(), [["b", 0, "softirq"]]);
  assertEquals(machine.device.poll(id + 1), null);
  const found = machine.device.poll(id);
  machine.kernel.spawn("poller", found!);
  machine.run();
  assertEquals(machine.ends[1], ["a", 0, "task"]);
  assertEquals(machine.device.poll(id), null);
});

Deno.test("MemoryDevice that is not polled ends a bio with REQ_POLLED by an interrupt", () => {
  const machine = new Machine();
  machine.write("a", 0, REQ_POLLED);
  assertEquals(machine.run(), [["a", 0, "softirq"]]);
});

Deno.test("error-reported: MemoryDevice tells of a failure when the bio ends, and of no success", () => {
  const machine = new Machine({ faults: [{ nth: 1 }] });
  const failing = machine.bio("a", WRITE, 0);
  const first = machine.bio("b", WRITE, 1);
  machine.submit(failing);
  machine.submit(first);
  machine.kernel.spawn(
    "other",
    (function* (): Task<void> {
      assertEquals(failing.biError, 0);
      // The end of another bio of the same request.
      first.biError = -EAGAIN;
      yield SCHEDULE;
    })(),
  );
  assertEquals(machine.run(), [
    ["a", -EIO, "softirq"],
    ["b", -EAGAIN, "softirq"],
  ]);
});

/** What every order of some tasks comes to. */
function orders(
  options: Partial<MemoryDeviceOptions>,
  tasks: (machine: Machine) => void,
  outcome: (machine: Machine) => string,
): string[] {
  const strategy = new ExhaustiveStrategy();
  const found = new Set<string>();
  do {
    strategy.begin();
    const machine = new Machine(options, { strategy });
    tasks(machine);
    machine.kernel.run();
    if (!strategy.blocked) found.add(outcome(machine));
  } while (strategy.end());
  return [...found].sort();
}

/** A task that does something at a time of the strategy's choice. */
function* once(body: () => void): Task<void> {
  yield SCHEDULE;
  body();
}

Deno.test("exploration: a power cut comes before a write has ended, or after it", () => {
  const found = orders(
    cached,
    (machine) => {
      machine.write("a", 0);
      const cut = once(() => machine.device.powerCut());
      machine.kernel.spawn("power", cut);
    },
    (machine) => `${machine.ends[0]?.[1]} ${machine.blocks(1)}`,
  );
  assertEquals(found, [`${-EIO} .`, "0 .", "0 a"]);
});

Deno.test("exploration: a flush comes before a write has ended, or after it", () => {
  const found = orders(
    cached,
    (machine) => {
      machine.write("a", 0);
      machine.kernel.spawn("sync", once(() => machine.device.flush()));
    },
    (machine) => {
      machine.device.powerCut();
      return machine.blocks(1);
    },
  );
  assertEquals(found, [".", "a"]);
});

Deno.test("exploration: of two writes to one block either may be the last, and a read gets any", () => {
  const found = orders(
    {},
    (machine) => {
      machine.write("a", 0);
      machine.write("b", 0);
    },
    (machine) => machine.blocks(1),
  );
  assertEquals(found, ["a", "b"]);
  const read = orders(
    {},
    (machine) => {
      machine.write("a", 0);
      machine.submit(machine.bio("r", READ, 0));
    },
    (machine) => String.fromCharCode(machine.lastPage()[0] || 46),
  );
  assertEquals(read, [".", "a"]);
});

Deno.test("exploration: a NOWAIT bio finds room, or finds none", () => {
  const found = orders(
    { queueDepth: 1 },
    (machine) => {
      machine.write("a", 0);
      machine.write("b", 1, REQ_NOWAIT);
    },
    (machine) =>
      machine.ends.map(([name, error]) => `${name}${error}`).sort().join(" "),
  );
  assertEquals(found, [`a0 b${-EAGAIN}`, "a0 b0"]);
});
