import { assertEquals, assertStringIncludes } from "@std/assert";
import { aioRefusal } from "./aio_setup.ts";

// A test cannot use up the system's AIO requests, so the texts are tested by
// themselves.
for (
  const [errno, code, advice] of [
    [11, "EAGAIN", "fs.aio-max-nr"],
    [38, "ENOSYS", "CONFIG_AIO"],
    [1, "EPERM", "seccomp"],
    [12, "ENOMEM", "cannot allocate memory"],
  ] as const
) {
  Deno.test(`aioRefusal() says what to do about ${code}`, () => {
    const refusal = aioRefusal(64, errno);
    assertEquals(refusal.errno, errno);
    assertStringIncludes(refusal.reason, advice);
  });
}
