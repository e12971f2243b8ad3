import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  alignColumns,
  fileError,
  guarded,
  lookUp,
  nearest,
  readOptions,
  styleOf,
  UserError,
  wrapText,
} from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";

const NAMES = {
  string: ["seed", "output"],
  boolean: ["force"],
  alias: { o: "output" },
};

Deno.test("readOptions() gives values, flags and the rest", () => {
  const options = readOptions(
    ["a", "--seed", "007", "--force", "-o", "x", "-", "8"],
    NAMES,
  );
  assertEquals([...options.values], [["seed", "007"], ["output", "x"]]);
  assertEquals([...options.flags], ["force"]);
  assertEquals(options.rest, ["a", "-", "8"]);
});

Deno.test("readOptions() gives all values of an option that has a list", () => {
  const { lists, values } = readOptions(["--a", "1", "--a=2", "--b", "3"], {
    string: ["b"],
    list: ["a", "c"],
  });
  assertEquals(lists.get("a"), ["1", "2"]);
  assertEquals([lists.has("c"), values.get("b")], [false, "3"]);
});

Deno.test("readOptions() knows -h and --help everywhere", () => {
  assertEquals([...readOptions(["-h"], {}).flags], ["help"]);
  assertEquals([...readOptions(["--help"], {}).flags], ["help"]);
});

const MISTAKES: [args: string[], message: string][] = [
  [["--sede", "1"], "Unknown option --sede: did you mean --seed?"],
  [["--sede=1"], "Unknown option --sede: did you mean --seed?"],
  [["--banana"], "Unknown option --banana: --help lists all"],
  [["-x"], "Unknown option -x: --help lists all"],
  [["--seed", "-1"], "Unexpected -1: no option takes a negative number"],
  [["--seed"], "Option --seed needs a value: --seed VALUE"],
  [["--seed="], "Option --seed needs a value: --seed VALUE"],
  [["--seed", "--force"], "Option --seed needs a value: --seed VALUE"],
];

for (const [args, message] of MISTAKES) {
  Deno.test(`readOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => readOptions(args, NAMES), UserError, message);
  });
}

const NEAR: [name: string, found: string | undefined][] = [
  ["record", "record"],
  ["recrod", "record"],
  ["chekc", "check"],
  ["rec", "record"],
  ["lst", "list"],
  ["banana", undefined],
  ["", undefined],
];

for (const [name, found] of NEAR) {
  Deno.test(`nearest() to '${name}' is ${found}`, () => {
    assertEquals(nearest(name, ["record", "check", "list"]), found);
  });
}

Deno.test("lookUp() says what may have been meant, or what there is", () => {
  const all = new Map([["ext4", 1], ["plain", 2]]);
  assertEquals(lookUp("fs", "ext4", all), 1);
  assertThrows(
    () => lookUp("fs", "ext3", all),
    UserError,
    "Unknown fs 'ext3': did you mean ext4?",
  );
  assertThrows(
    () => lookUp("fs", "zfs", all),
    UserError,
    "Unknown fs 'zfs': choose ext4, plain",
  );
});

Deno.test("guarded() passes a status on", async () => {
  const io = fakeIo();
  assertEquals(await guarded("t", () => Promise.resolve(1), [], io), 1);
  assertEquals(io.stderr(), "");
});

Deno.test("guarded() tells a user's mistake in one line, status 2", async () => {
  const io = fakeIo();
  const tool = () => Promise.reject(new UserError("Cannot do x: do y"));
  assertEquals(await guarded("t", tool, [], io), 2);
  assertEquals(io.stderr(), "t: Cannot do x: do y\n");
});

Deno.test("guarded() shows the stack of a defect only, status 70", async () => {
  const io = fakeIo();
  const tool = () => Promise.reject(new TypeError("x is undefined"));
  assertEquals(await guarded("t", tool, [], io), 70);
  assertMatch(
    io.stderr(),
    /^t: this is a defect of endio.*\nTypeError: x is undefined\n +at /,
  );
});

Deno.test("fileError() calls - what the user calls it", () => {
  const full = new Error("No space left on device (os error 28)");
  const messages = (["read", "write"] as const).map((action) => {
    const told = fileError(action, "-", full);
    assertInstanceOf(told, UserError);
    return told.message;
  });
  assertEquals(messages, [
    "Cannot read standard input: no space left on device",
    "Cannot write standard output: no space left on device",
  ]);
});

Deno.test("fileError() names the flag that Deno wants", () => {
  const messages = [
    'Requires write access to "/tmp", run again with the --allow-write flag',
    'Requires all access to "/dev/shm", run again with the --allow-all flag',
  ].map((message) => {
    const told = fileError("write", "f", new Deno.errors.NotCapable(message));
    assertInstanceOf(told, UserError);
    return told.message;
  });
  assertEquals(messages, [
    "Cannot write f: Deno may not; add --allow-write=f",
    "Cannot write f: Deno may not; add --allow-all",
  ]);
});

Deno.test("fileError() leaves a defect as it is", () => {
  const defect = new TypeError("x is undefined");
  assertEquals(fileError("read", "f", defect), defect);
});

Deno.test("styleOf() leaves text as it is without colour", () => {
  assertEquals(styleOf(false).red("a"), "a");
  assertEquals(styleOf(true).red("a"), "\x1b[31ma\x1b[39m");
});

Deno.test("alignColumns() pads all columns but the last", () => {
  assertEquals(
    alignColumns([["a", "bb", "c"], ["aaa", "b", "cc"]]),
    "  a    bb  c\n  aaa  b   cc\n",
  );
});

Deno.test("wrapText() breaks at blanks", () => {
  assertEquals(wrapText("aa bb ccccc d", 5), ["aa bb", "ccccc", "d"]);
});
