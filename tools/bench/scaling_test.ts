import { assertEquals, assertThrows } from "@std/assert";
import { SCALING_BENCHMARK } from "./scaling.ts";

Deno.test("SCALING_BENCHMARK goes from 16 KiB to 64 MiB, and claims 1.5 everywhere", () => {
  const { comparisons } = SCALING_BENCHMARK;
  assertEquals(comparisons.map(({ subject }) => subject.name), [
    "requests of 16 KiB",
    "requests of 64 KiB",
    "requests of 256 KiB",
    "requests of 1 MiB",
    "requests of 4 MiB",
    "requests of 16 MiB",
    "requests of 64 MiB",
  ]);
  assertEquals(
    new Set(comparisons.map(({ atMost }) => atMost)),
    new Set([1.5]),
  );
});

Deno.test("SCALING_BENCHMARK writes whole requests only, and every one comes to its length", () => {
  const [comparison] = SCALING_BENCHMARK.comparisons;
  comparison?.subject.run(8);
  comparison?.peer.run(8);
  // The other pages are no sectors.
  assertThrows(() => comparison?.peer.run(8.01), Error, "came to -22");
});
