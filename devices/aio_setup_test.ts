import { assertEquals, assertStringIncludes } from "@std/assert";
import { aioSetupError } from "./aio_setup.ts";

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
  Deno.test(`aioSetupError() says what to do about ${code}`, () => {
    const error = aioSetupError("/tmp/disk", 64, errno);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, "Cannot open /tmp/disk: ");
    assertStringIncludes(error.message, advice);
  });
}
