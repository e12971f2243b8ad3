/**
 * Checks what `deno doc --lint` does not: that the documentation of every
 * public symbol is complete.
 *
 * Every symbol has a sentence. Functions and classes have an `@example`, which
 * asserts more than that they exist; functions have an `@param` for each
 * parameter, and `@returns` unless they return nothing.
 *
 * ```sh
 * deno run --allow-read --allow-run=deno tools/check_docs.ts [ENTRY…]
 * ```
 *
 * Without entry points, those of deno.json. Exit status 1 if anything is
 * missing, 2 if the documentation cannot be read.
 *
 * @module
 */

interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

interface TsType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}

interface Param {
  readonly kind: string;
  readonly name?: string;
  readonly left?: Param;
  readonly arg?: Param;
}

interface Signature {
  readonly params: readonly Param[];
  readonly returnType?: TsType;
  readonly hasBody?: boolean;
}

interface Declaration {
  readonly location: { readonly filename: string; readonly line: number };
  readonly declarationKind: string;
  readonly kind: string;
  readonly jsDoc?: JsDoc;
  readonly def?: unknown;
}

/** A symbol as `deno doc --json` describes it. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** What `deno doc --json` prints, as far as it is read here. */
export interface DocOutput {
  readonly nodes: Record<string, {
    readonly module_doc?: JsDoc;
    readonly symbols: readonly DocSymbol[];
  }>;
}

/** Everything that is missing, as lines `file:line symbol: what`. */
export function findGaps(output: DocOutput): string[] {
  return Object.entries(output.nodes).flatMap(([file, node]) => [
    ...hasSentence(node.module_doc)
      ? []
      : [`${file}:1 module: no sentence of documentation`],
    ...node.symbols.flatMap(symbolGaps),
  ]);
}

function symbolGaps({ name, declarations }: DocSymbol): string[] {
  const visible = declarations.filter((declaration) =>
    declaration.declarationKind !== "private" &&
    declaration.kind !== "reference" &&
    !isImplementation(declaration, declarations)
  );
  const needsExample = visible.some(({ kind }) =>
    kind === "function" || kind === "class"
  );
  const examples = visible.flatMap(({ jsDoc }) => tagsOf(jsDoc, "example"));
  return visible.flatMap((declaration, index) => {
    const missing = declarationGaps(declaration);
    if (index === 0 && needsExample && examples.length === 0) {
      missing.push("no @example");
    }
    const idle = index === 0 && needsExample
      ? examples.filter(assertsNothing)
      : [];
    missing.push(...idle.map(() => "an @example that cannot fail"));
    const { filename, line } = declaration.location;
    return missing.map((what) => `${filename}:${line + 1} ${name}: ${what}`);
  });
}

/** A piece of code that is run; what it asserts; what is true of any symbol. */
const CODE = /^```tsx?\n[^]*?^```$/gm;
const ASSERTION = /\bassert\w*\([^]*?\);$/gm;
const TRIVIAL =
  /^assert\w*\(\s*(?:typeof [\w.]+,|[^,]* instanceof \w+\s*(?:,|\)))/;

/** Whether an example would pass whatever the symbol does. */
function assertsNothing({ doc = "" }: Tag): boolean {
  const code = doc.match(CODE) ?? [];
  const assertions = code.join("\n").match(ASSERTION) ?? [];
  return code.length > 0 && assertions.every((text) => TRIVIAL.test(text));
}

/** Whether this is the body behind overloads, which nobody sees. */
function isImplementation(
  declaration: Declaration,
  all: readonly Declaration[],
): boolean {
  const functions = all.filter(({ kind }) => kind === "function");
  return functions.length > 1 && declaration.kind === "function" &&
    (declaration.def as Signature).hasBody === true;
}

function declarationGaps({ kind, jsDoc, def }: Declaration): string[] {
  const missing = hasSentence(jsDoc) ? [] : ["no sentence of documentation"];
  if (kind !== "function") return missing;
  const { params, returnType } = def as Signature;
  const documented = tagsOf(jsDoc, "param").map(({ name }) => name);
  const names = params.map(nameOf);
  for (const name of names) {
    if (name !== undefined && !documented.includes(name)) {
      missing.push(`no @param ${name}`);
    }
  }
  // A parameter taken apart in place has no name: it is documented by any.
  if (names.includes(undefined) && documented.length < names.length) {
    missing.push(`${names.length} parameters, ${documented.length} @param`);
  }
  if (givesValue(returnType) && tagsOf(jsDoc, "return").length === 0) {
    missing.push("no @returns");
  }
  return missing;
}

function tagsOf(jsDoc: JsDoc | undefined, kind: string): Tag[] {
  return (jsDoc?.tags ?? []).filter((tag) => tag.kind === kind);
}

function hasSentence(jsDoc: JsDoc | undefined): boolean {
  const [first = ""] = (jsDoc?.doc ?? "").split(/\n\s*\n/);
  return /[.:!?][)"'`*_]*$/.test(first.trim());
}

function nameOf(param: Param): string | undefined {
  if (param.kind === "assign") return param.left && nameOf(param.left);
  if (param.kind === "rest") return param.arg && nameOf(param.arg);
  return param.name;
}

function givesValue(type: TsType | undefined): boolean {
  if (type === undefined || isNothing(type)) return false;
  if (type.kind === "typePredicate") {
    return !(type.value as { asserts?: boolean }).asserts;
  }
  if (type.kind !== "typeRef") return true;
  const { typeName, typeParams = [] } = type.value as {
    typeName: string;
    typeParams?: TsType[];
  };
  const position = ["Promise", "PromiseLike", "Task"].includes(typeName)
    ? 0
    : ["Generator", "AsyncGenerator"].includes(typeName)
    ? 1
    : undefined;
  const inner = position === undefined ? undefined : typeParams[position];
  return inner === undefined || !isNothing(inner);
}

function isNothing(type: TsType): boolean {
  return type.kind === "keyword" &&
    ["void", "never", "undefined"].includes(String(type.value));
}

const ROOT = new URL("../", import.meta.url);

function entryPoints(): string[] {
  const config: { exports: Record<string, string> } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", ROOT)),
  );
  return Object.values(config.exports)
    .map((path) => decodeURIComponent(new URL(path, ROOT).pathname));
}

/** The documentation of one entry point, its re-exports followed. */
async function readDocs(entry: string): Promise<DocOutput> {
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: ["doc", "--json", entry],
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Error(new TextDecoder().decode(stderr).trim());
}

async function main(entries: readonly string[]): Promise<number> {
  const gaps = new Set<string>();
  try {
    // One at a time: given several, `deno doc` follows fewer re-exports.
    for (const entry of entries.length > 0 ? entries : entryPoints()) {
      for (const gap of findGaps(await readDocs(entry))) {
        gaps.add(gap.replace(ROOT.href, ""));
      }
    }
  } catch (error) {
    await print(Deno.stderr, `check_docs: ${(error as Error).message}\n`);
    return 2;
  }
  for (const gap of gaps) await print(Deno.stdout, `${gap}\n`);
  return gaps.size > 0 ? 1 : 0;
}

function print(to: typeof Deno.stdout, text: string): Promise<void> {
  const writer = to.writable.getWriter();
  return writer.write(new TextEncoder().encode(text))
    .finally(() => writer.releaseLock());
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
