// deno.json names stand-ins for the packages of JSR, genuine.json names none;
// in everything else that bears on tests the two must say the same.

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../deno.json", import.meta.url);
const GENUINE = new URL("./genuine.json", import.meta.url);

interface Config {
  readonly name: string;
  readonly exports: Record<string, string>;
  readonly imports: Record<string, string>;
  readonly links?: readonly string[];
  readonly compilerOptions: object;
  readonly test: object;
}

const unreadable = [ROOT, GENUINE].some((path) =>
  Deno.permissions.querySync({ name: "read", path }).state !== "granted"
);
const reason = unreadable ? " [ignored: needs --allow-read]" : "";

function readConfig(path: URL): Config {
  return JSON.parse(Deno.readTextFileSync(path));
}

Deno.test({
  name: `genuine.json says the same as deno.json, without links${reason}`,
  ignore: unreadable,
  fn() {
    const [root, genuine] = [readConfig(ROOT), readConfig(GENUINE)];
    assertEquals(genuine.imports, root.imports);
    assertEquals(genuine.compilerOptions, root.compilerOptions);
    assertEquals(genuine.test, root.test);
    assertEquals(genuine.links, undefined);
    assertEquals(
      Object.entries(genuine.exports)
        .map(([name, path]) => [name, path.replace("./../../", "./")]),
      Object.entries(root.exports),
    );
    assertEquals(genuine.name, root.name);
  },
});

Deno.test({
  name: `links name a stand-in for each package of JSR${reason}`,
  ignore: unreadable,
  fn() {
    const { imports, links = [] } = readConfig(ROOT);
    const names = links.map((link) => {
      const standIn = readConfig(new URL(`${link}/deno.json`, ROOT));
      assert(!("version" in standIn), `${link} stands for every version`);
      return standIn.name;
    });
    const fromJsr = Object.entries(imports)
      .filter(([, specifier]) => specifier.startsWith("jsr:"))
      .map(([name]) => name);
    assertEquals(names.toSorted(), fromJsr.toSorted());
  },
});
