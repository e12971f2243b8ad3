// What `trace.ts check` says of a recording.

import {
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fakeIo } from "../testdata/fake_io.ts";
import { noRecordings, readRecordings } from "../testdata/recordings.ts";
import { check } from "../trace_check.ts";

const FOLDER = new URL("../testdata/recordings/", import.meta.url).pathname;
const NAME = "ocfs2/delayed_aio_overwrite";

function recordingTest(name: string, fn: () => Promise<void>): void {
  const suffix = noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`;
  Deno.test({ name: name + suffix, ignore: noRecordings !== "", fn });
}

function linesOf(name: string): readonly string[] {
  const file = readRecordings(true).find((each) => each.name === name);
  return (file?.lines ?? []).filter((line) => !line.includes("entries-in"));
}

interface Report {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function reportOn(
  lines: readonly string[],
  ...args: string[]
): Promise<Report> {
  const io = fakeIo(`${lines.join("\n")}\n`);
  const status = await check([...args, "-"], io);
  return { status, stdout: io.stdout(), stderr: io.stderr() };
}

recordingTest(
  "check of a right recording is one line, and what it cannot tell",
  async () => {
    const { status, stdout, stderr } = await reportOn(linesOf(NAME));
    assertEquals([status, stderr], [0, ""]);
    assertMatch(
      stdout,
      /^stdin: \d+ lines, 1 direct I\/O, \d+ rules exercised, 0 violations\n {2}not decidable from ftrace: \d+ rules of the suite; --undecided lists them\n$/,
    );
  },
);

recordingTest(
  "check names the rule, what was expected, and the lines",
  async () => {
    const lines = linesOf(NAME);
    const at = lines.findIndex((line) => line.includes(": dio_free: "));
    const to = lines.findIndex((line) => line.includes(": aio_complete_rw: "));
    const moved = lines.toSpliced(at, 1).toSpliced(to, 0, lines[at]!);
    const { status, stdout } = await reportOn(moved);
    assertEquals(status, 1);
    const report = stdout.split("\n");
    const first = report.findIndex((line) => line.includes("free-last"));
    assertMatch(report[first]!, /^stdin:\d+: completion-order\/free-last: \w/);
    assertMatch(report[first + 1]!, /^ {2}expected .* before it$/);
    assertMatch(
      report[first + 2]!,
      /^ {2}line \d+ {2}\S+ \[\d+\] \S{5} [\d.]+: dio_complete: dio=/,
    );
    for (const line of report.filter((line) => line.startsWith("  line "))) {
      assertLessOrEqual(line.length, 100);
    }
  },
);

recordingTest(
  "check says which rules a recording cannot decide, and why",
  async () => {
    const lines = linesOf(NAME).filter((line) =>
      !/: (?:dio_free|tracing_mark_write): /.test(line)
    );
    const { status, stdout } = await reportOn(lines);
    assertEquals(status, 0);
    assertMatch(
      stdout,
      /not decidable without dio_free or iomap_dio_free: completion-order\/free-last, released-once\/dio,/,
    );
    const { stdout: all } = await reportOn(lines, "--undecided");
    assertStringIncludes(all, "not decidable without get_block: ");
  },
);

recordingTest(
  "check shows a rule three times, and counts the rest",
  async () => {
    const lines = linesOf("ext4/aio_qd32").map((line) =>
      line.replace(/(: aio_complete_rw: .* res=)4096/, "$1512")
    );
    if (lines.length === 0) return;
    const { status, stdout } = await reportOn(lines);
    assertEquals(status, 1);
    const id = "result-precedence/submit-page-bio-count";
    assertEquals(stdout.split(`: ${id}: The`).length - 1, 3);
    assertMatch(
      stdout,
      new RegExp(`^stdin: ${id}: \\d+ more violations$`, "m"),
    );
  },
);

recordingTest(
  "check says where a recording was cut, and how much is missing",
  async () => {
    const lines = readRecordings(true).find(({ name }) => name === NAME)!.lines;
    const io = fakeIo(lines.slice(0, 30).join("\n").slice(0, -20));
    assertEquals(await check(["-"], io), 2);
    assertMatch(
      io.stderr(),
      /^stdin:30: the recording ends in the middle of this line\nstdin: \d+ lines of the \d+ that its header announces are missing; /,
    );
    assertStringIncludes(io.stdout(), ", cut short\n");
  },
);

recordingTest(
  "check compares with what user space saw, in the file beside",
  async () => {
    const io = fakeIo();
    assertEquals(await check([`${FOLDER}${NAME}.trace`], io), 0);
    const folder = await Deno.makeTempDir();
    try {
      const text = linesOf(NAME).join("\n");
      await Deno.writeTextFile(`${folder}/a.trace`, `${text}\n`);
      const seen = await Deno.readTextFile(`${FOLDER}${NAME}.json`);
      const other = seen.replace('"res": 65536', '"res": 4096');
      await Deno.writeTextFile(`${folder}/a.json`, other);
      const io = fakeIo();
      assertEquals(await check([`${folder}/a.trace`], io), 1);
      assertStringIncludes(io.stdout(), "result-precedence/user-space");
      assertStringIncludes(io.stdout(), "expected 4096, it is 65536");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

recordingTest("check takes no other profile for a recording", async () => {
  const io = fakeIo(linesOf(NAME).join("\n"));
  assertEquals(await check(["--profile", "v3.12", "-"], io), 2);
  assertStringIncludes(io.stderr(), "under v3.12: it is a recording");
});

const BINARY: readonly (readonly [head: string, advice: string])[] = [
  ["\x17\bDtracing6\0", "trace-cmd report"],
  ["PERFILE2h\0", "perf script"],
  ["\x1f\x8b\b\0", "zcat"],
];

for (const [head, advice] of BINARY) {
  Deno.test(`check asks for what ${advice} prints`, async () => {
    const bytes = Uint8Array.from(head, (char) => char.charCodeAt(0));
    const io = { ...fakeIo(), stdin: () => new Blob([bytes]).stream() };
    assertEquals(await check(["-"], io), 2);
    assertMatch(
      io.stderr(),
      new RegExp(
        `^trace.ts: Cannot read stdin: it is .*; give what '${advice}'`,
      ),
    );
  });
}
