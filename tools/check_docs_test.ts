import { assertEquals } from "@std/assert";
import { type DocSymbol, findGaps } from "./check_docs.ts";

const LOCATION = { filename: "a.ts", line: 6 };
const VOID = { kind: "keyword", value: "void" };
const NUMBER = { kind: "keyword", value: "number" };

/** What is missing in one symbol of a module that has documentation. */
function gapsOf(symbol: DocSymbol): string[] {
  const module_doc = { doc: "A module." };
  return findGaps({ nodes: { "mod.ts": { module_doc, symbols: [symbol] } } });
}

/** A function `f` with one declaration. */
function functionWith(
  params: { kind: string; name?: string }[],
  returnType: { kind: string; value: unknown },
  jsDoc?: {
    doc: string;
    tags: { kind: string; name?: string; doc?: string }[];
  },
): DocSymbol {
  const declaration = {
    location: LOCATION,
    declarationKind: "export",
    kind: "function",
    def: { params, returnType, hasBody: true },
    ...(jsDoc ? { jsDoc } : {}),
  };
  return { name: "f", declarations: [declaration] };
}

Deno.test("findGaps() finds nothing missing in complete documentation", () => {
  const tags = [
    { kind: "param", name: "a" },
    { kind: "return" },
    { kind: "example" },
  ];
  const f = functionWith([{ kind: "identifier", name: "a" }], NUMBER, {
    doc: "Does it.",
    tags,
  });
  assertEquals(gapsOf(f), []);
});

Deno.test("findGaps() finds everything missing in none", () => {
  const f = functionWith([{ kind: "identifier", name: "a" }], NUMBER);
  assertEquals(gapsOf(f), [
    "a.ts:7 f: no sentence of documentation",
    "a.ts:7 f: no @param a",
    "a.ts:7 f: no @returns",
    "a.ts:7 f: no @example",
  ]);
});

Deno.test("findGaps() wants no @returns where nothing is returned", () => {
  const tags = [{ kind: "example" }];
  const task = (typeName: string, typeParams: unknown[]) => ({
    kind: "typeRef",
    value: { typeName, typeParams },
  });
  for (
    const type of [
      VOID,
      task("Promise", [VOID]),
      task("Task", [VOID]),
      task("Generator", [NUMBER, VOID]),
      { kind: "typePredicate", value: { asserts: true } },
    ]
  ) {
    const f = functionWith([], type, { doc: "Does it.", tags });
    assertEquals(gapsOf(f), []);
  }
});

Deno.test("findGaps() counts parameters that are taken apart", () => {
  const doc = { doc: "Does it.", tags: [{ kind: "example" }] };
  assertEquals(gapsOf(functionWith([{ kind: "object" }], VOID, doc)), [
    "a.ts:7 f: 1 parameters, 0 @param",
  ]);
});

Deno.test("findGaps() wants a sentence of every module and interface", () => {
  const I: DocSymbol = {
    name: "I",
    declarations: [{
      location: LOCATION,
      declarationKind: "export",
      kind: "interface",
      jsDoc: { doc: "no end" },
    }],
  };
  assertEquals(findGaps({ nodes: { "mod.ts": { symbols: [I] } } }), [
    "mod.ts:1 module: no sentence of documentation",
    "a.ts:7 I: no sentence of documentation",
  ]);
});

for (
  const [code, cannotFail] of [
    ['assertEquals(typeof f, "function");', true],
    ["assertEquals(new C() instanceof C, true);", true],
    ["assert(new C() instanceof C);", true],
    ["f();", true],
    ["assert(new C() instanceof C);\nassertEquals(f(), 1);", false],
    ["assertEquals(f(), 1);", false],
    ["assertThrows(\n  () => f(),\n  RangeError,\n);", false],
  ] as const
) {
  Deno.test(`findGaps() ${cannotFail ? "refuses" : "accepts"} the example ${code}`, () => {
    const doc = `\`\`\`ts\n${code}\n\`\`\``;
    const tags = [{ kind: "example", doc }];
    const gaps = gapsOf(functionWith([], VOID, { doc: "Does it.", tags }));
    assertEquals(
      gaps,
      cannotFail ? ["a.ts:7 f: an @example that cannot fail"] : [],
    );
  });
}

Deno.test("findGaps() wants nothing of an example that is not run", () => {
  const tags = [{ kind: "example", doc: "```ts ignore\nf();\n```" }];
  const f = functionWith([], VOID, { doc: "Does it.", tags });
  assertEquals(gapsOf(f), []);
});
