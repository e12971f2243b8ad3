import { assertEquals } from "@std/assert";
import { describeErrno, ERRNO_TEXT } from "./errno_text.ts";

Deno.test("describeErrno() names an errno of either sign", () => {
  assertEquals(describeErrno(22).name, "EINVAL");
  assertEquals(describeErrno(-28).text, "no space left on device");
});

Deno.test("describeErrno() keeps the number of an unknown errno", () => {
  assertEquals(describeErrno(-4000), {
    name: "E4000",
    text: "error number 4000",
  });
});

Deno.test("ERRNO_TEXT has no name twice", () => {
  const names = [...ERRNO_TEXT.values()].map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});
