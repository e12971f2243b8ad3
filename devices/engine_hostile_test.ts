import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { DirectFileEngine } from "./direct_file_engine.ts";
import type { EngineKind } from "./engine.ts";
import { Libc } from "./libc.ts";
import { EngineDriver } from "./testdata/engine_driver.ts";
import { patch } from "./testdata/patch.ts";
import { engineTest, TemporaryFile } from "./testdata/temporary_file.ts";

const PAGE = 4096;
const PAGES = 120;
const IORING_ENTER_GETEVENTS = 1;
const [EINTR, EAGAIN, EBUSY] = [4, 11, 16];

/**
 * A kernel that does what it may: it is interrupted, has no room, takes a part
 * of what is submitted. What comes next is said by a list, over and over.
 */
class HostileKernel implements Disposable {
  readonly #whims: readonly number[];
  readonly #stack: DisposableStack = new DisposableStack();
  #next = 0;
  /** It has no room only while there are requests to wait for. */
  engine: DirectFileEngine | null = null;
  /** How often it was not helpful. */
  injected = 0;

  constructor(whims: readonly number[], engine: EngineKind) {
    this.#whims = whims;
    if (engine === "io_uring") this.#twistUring();
    else this.#twistAio();
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #whim(): number {
    return this.#whims[this.#next++ % this.#whims.length] ?? 0;
  }

  #refuse(errno: number): number {
    this.injected++;
    return -errno;
  }

  #twistUring(): void {
    const refuse = (errno: number) => this.#refuse(errno);
    const whim = () => this.#whim();
    const mayRefuse = () => (this.engine?.inFlight ?? 0) > 0;
    this.#stack.use(patch(
      Libc.prototype,
      "ioUringEnter",
      (original) =>
        function (this: Libc, ringFd, submitCount, minEvents, flags) {
          const enter = (submits: number, min: number) =>
            original.call(this, ringFd, submits, min, flags);
          const what = whim();
          if (what === 1) return refuse(EINTR);
          if (submitCount > 0 && mayRefuse()) {
            if (what === 2) return refuse(EAGAIN);
            if (what === 3) return refuse(EBUSY);
          }
          if (what === 4 && submitCount > 1) {
            refuse(0);
            return enter(submitCount >> 1, 0);
          }
          // It need not wait for more than one.
          if (what === 5 && (flags & IORING_ENTER_GETEVENTS) !== 0) {
            return enter(submitCount, Math.min(minEvents, 1));
          }
          return enter(submitCount, minEvents);
        },
    ));
  }

  #twistAio(): void {
    const refuse = (errno: number) => this.#refuse(errno);
    const whim = () => this.#whim();
    const mayRefuse = () => (this.engine?.inFlight ?? 0) > 0;
    this.#stack.use(patch(
      Libc.prototype,
      "ioSubmit",
      (original) =>
        function (this: Libc, context, requestCount, pointers) {
          const what = whim();
          if (what === 1) return refuse(EINTR);
          if (mayRefuse() && (what === 2 || what === 3)) return refuse(EAGAIN);
          const isPart = what >= 4 && requestCount > 1;
          if (isPart) refuse(0);
          const submits = isPart ? requestCount >> 1 : requestCount;
          return original.call(this, context, submits, pointers);
        },
    ));
    this.#stack.use(patch(
      Libc.prototype,
      "ioGetevents",
      (original) =>
        function (this: Libc, context, min, max, events) {
          const what = whim();
          if (what === 1) return refuse(EINTR);
          const most = what === 4 ? Math.max(1, max >> 1) : max;
          return original.call(this, context, Math.min(min, 1), most, events);
        },
    ));
  }
}

engineTest(
  "DirectFileEngine gets all done by a kernel that does what it may",
  (kind) => {
    const whims = fc.array(fc.integer({ min: 0, max: 7 }), {
      minLength: 3,
      maxLength: 40,
    }).filter((list) => list.some((what) => what === 0 || what > 5));
    let injected = 0;
    fc.assert(
      fc.property(whims, fc.integer({ min: 1, max: 70 }), (list, depth) => {
        using file = new TemporaryFile(PAGES * PAGE);
        using kernel = new HostileKernel(list, kind);
        using engine = DirectFileEngine.open(file.path, {
          engine: kind,
          queueDepth: depth,
        });
        kernel.engine = engine;
        new EngineDriver(engine).roundTrip(PAGES);
        assertEquals([engine.prepared, engine.inFlight], [0, 0]);
        injected += kernel.injected;
      }),
      { numRuns: kind === "io_uring" ? 40 : 15 },
    );
    assertGreater(injected, 100);
  },
  ["io_uring", "libaio"],
);

engineTest(
  "DirectFileEngine gives EAGAIN when there is no room and nothing to wait for",
  (kind) => {
    using file = new TemporaryFile(PAGES * PAGE);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    const memory = engine.allocate(PAGE);
    const driver = new EngineDriver(engine);
    const tag = driver.prepare("read", 0, memory.address, PAGE);
    {
      using stack = new DisposableStack();
      stack.use(patch(Libc.prototype, "ioUringEnter", () => () => -EAGAIN));
      stack.use(patch(Libc.prototype, "ioSubmit", () => () => -EAGAIN));
      assertEquals(engine.submit(), -EAGAIN);
      assertEquals(engine.submitAndReap(1), -EAGAIN);
      assertEquals([engine.prepared, engine.inFlight], [1, 0]);
    }
    assertEquals(driver.complete(), [[tag, PAGE]]);
  },
  ["io_uring", "libaio"],
);
