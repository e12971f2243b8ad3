import { assertEquals } from "@std/assert";
import { statementsOf } from "./statements.ts";

const SOURCE = `
/** A class. */
export class Fs {
  count = 0;

  constructor() {
    this.count = 1;
  }

  /** A method. */
  *write(inode: Inode): Task<number> {
    const { kernel } = this;
    yield* inode.iMutex.lock(kernel);
    if (kernel.stepping) yield inode.step;
    if (inode.iSize === 0) return 0;
    inode.insert({
      start: 1,
    });
    if (this.count > 0) this.count--;
    else this.count++;
    this.count++;
    this.count++;
    return 1;
  }
}
`;

Deno.test("statementsOf() gives what does something, with its function and lines", () => {
  const found = statementsOf(SOURCE).map((
    { fn, text, nth },
  ) => [fn, text, nth]);
  assertEquals(found, [
    ["write", "yield* inode.iMutex.lock(kernel);", 1],
    ["write", "if (inode.iSize === 0) return 0;", 1],
    ["write", "inode.insert({ start: 1, });", 1],
    ["write", "else this.count++;", 1],
    ["write", "this.count++;", 1],
    ["write", "this.count++;", 2],
  ]);
});
