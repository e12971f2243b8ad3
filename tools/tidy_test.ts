import { assertEquals } from "@std/assert";
import { findUntidiness, type SourceFile } from "./tidy.ts";
import { blank } from "./tidy_text.ts";

const ROOT = new URL("../", import.meta.url);
const FOLDERS = ["core", "devices", "fs_models", "conformance", "tools"];

const isReadable =
  Deno.permissions.querySync({ name: "read", path: ROOT }).state === "granted";
const reason = isReadable ? "" : " [ignored: needs --allow-read]";

/** The TypeScript files under a folder, by their path from the root. */
function* sourcesIn(folder: string): Generator<SourceFile> {
  for (const entry of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sourcesIn(path);
    else if (path.endsWith(".ts")) {
      yield { path, text: Deno.readTextFileSync(new URL(path, ROOT)) };
    }
  }
}

Deno.test({
  name: `every file of the repository is tidy${reason}`,
  ignore: !isReadable,
  fn() {
    const door = Deno.readTextFileSync(new URL("mod.ts", ROOT));
    const files = FOLDERS.flatMap((folder) => [...sourcesIn(folder)]);
    const found = findUntidiness([{ path: "mod.ts", text: door }, ...files]);
    const listed = found
      .map(({ path, line, problem }) => `${path}:${line} ${problem}`);
    assertEquals(listed, []);
  },
});

/** What is found in one file, as `line problem`. */
function check(path: string, text: string): string[] {
  return findUntidiness([{ path, text }])
    .map(({ line, problem }) => `${line} ${problem}`);
}

const TIDY: [name: string, path: string, text: string][] = [
  ["a door", "devices/a.ts", 'import { x } from "../core/mod.ts";'],
  ["its own folder", "core/a.ts", 'import { x } from "./b.ts";'],
  ["the package by its name", "tools/a.ts", 'import "@endio/dio/fs-models";'],
  ["@std in a test", "core/a_test.ts", 'import { x } from "@std/assert";'],
  ["@std in conformance", "conformance/a.ts", 'import "@std/testing/bdd";'],
  ["words in comments", "core/a.ts", "// Deno.cwd() and Math.random()"],
  ["words in strings", "core/a.ts", 'const a = "Promise";'],
  ["a text after export", "core/a.ts", 'export const a = "../x/y.ts";'],
  ["an import in a template", "core/a.ts", 'const a = `\nimport "b";\n`;'],
  ["re-exports in a door", "core/mod.ts", 'export { a } from "./a.ts";'],
];

for (const [name, path, text] of TIDY) {
  Deno.test(`findUntidiness() allows ${name}`, () => {
    assertEquals(check(path, text), []);
  });
}

const UNTIDY: [name: string, path: string, text: string, found: string][] = [
  [
    "a way round a door",
    "tools/a.ts",
    '\nimport type { x } from "../core/x.ts";',
    "2 imports core/x.ts, not through the door core/mod.ts",
  ],
  [
    "a way round a door in a test",
    "devices/a_test.ts",
    'const x = await import("../core/x.ts");',
    "1 imports core/x.ts, not through the door core/mod.ts",
  ],
  [
    "an import against the direction",
    "devices/a.ts",
    'import {\n  x,\n} from "../conformance/mod.ts";',
    "1 imports conformance/mod.ts, though devices/ may import itself and core",
  ],
  [
    "a package in core",
    "core/a.ts",
    'export * from "@std/assert";',
    "1 imports @std/assert, though core/ may import itself and nothing else",
  ],
  [
    "the clock in core",
    "core/a.ts",
    "const now = `${Date.now()}`;",
    "1 Date.now in core/, where time, chance and I/O are handed in",
  ],
  ["leftovers", "tools/a.ts", `// TO${"DO"}: more`, `1 TO${"DO"} left over`],
  [
    "code in a door",
    "core/mod.ts",
    'export { a } from "./a.ts";\nexport const b = 1;',
    "2 a door holds re-exports and nothing else",
  ],
  [
    "a long file",
    "tools/a.ts",
    "\n".repeat(400) + "1;",
    "401 401 lines of 400 at most",
  ],
  [
    "a long function",
    "tools/a.ts",
    `function f(\n  a: A,\n): B {\n${"  a();\n".repeat(80)}}\nlet b;\n`,
    "1 f() has 84 lines of 70 at most",
  ],
  [
    "a long method",
    "tools/a.ts",
    `class A {\n  *#m(): B {\n${"    a();\n".repeat(80)}  }\n}\n`,
    "2 #m() has 82 lines of 70 at most",
  ],
];

for (const [name, path, text, found] of UNTIDY) {
  Deno.test(`findUntidiness() finds ${name}`, () => {
    assertEquals(check(path, text), [found]);
  });
}

Deno.test("findUntidiness() finds cycles of imports, but none of types", () => {
  const files = [
    { path: "core/a.ts", text: 'import { b } from "./b.ts";' },
    { path: "core/b.ts", text: 'export { c } from "./c.ts";' },
    { path: "core/c.ts", text: 'import { type X, a } from "./a.ts";' },
    { path: "core/d.ts", text: 'import type { E } from "./e.ts";' },
    { path: "core/e.ts", text: 'import { type D } from "./d.ts";\nd();' },
    { path: "core/f.ts", text: 'import { d } from "./d.ts";' },
  ];
  assertEquals(findUntidiness(files), [{
    path: "core/a.ts",
    line: 1,
    problem: "import cycle core/a.ts → core/b.ts → core/c.ts → core/a.ts",
  }]);
});

const BLANKED: [text: string, code: string][] = [
  ["a(); // b", "a();     "],
  ["a /* b\n * c */ d", "a     \n        d"],
  ['f("x", 1)', "f(   , 1)"],
  ["`a${b}c` + d", "    b    + d"],
  ["`${a({ b: `{` })}` {", "   a({ b:     })   {"],
  ['a = /["`]/g; "b"', "a =        ;    "],
  ["a / b / c", "a / b / c"],
];

for (const [text, code] of BLANKED) {
  Deno.test(`blank() leaves the code of ${text}`, () => {
    assertEquals(blank(text, { keepStrings: false }), code);
  });
}
