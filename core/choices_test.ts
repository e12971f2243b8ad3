import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Choices,
  decodeChoices,
  decodePrint,
  encodeChoices,
  encodePrint,
  mixPrint,
  printWhole,
} from "./choices.ts";

const SEED = 20132;

const gap = fc.oneof(
  fc.nat(8),
  fc.nat(1000),
  fc.nat(2 ** 26),
);
const option = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 60, max: 140 }),
  fc.integer({ min: 1, max: 5000 }),
);
const choices: fc.Arbitrary<Choices> = fc.array(fc.tuple(gap, option)).map(
  (pairs) => {
    let point = -1;
    return pairs.map(([gap, option]) => {
      point += gap + 1;
      return { point, option };
    });
  },
);

Deno.test(`decodeChoices() reads what encodeChoices() wrote (seed ${SEED})`, () => {
  fc.assert(
    fc.property(choices, (list) => {
      assertEquals(decodeChoices(encodeChoices(list)), list);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test(`encodeChoices() uses letters, digits, '_' and '~' only (seed ${SEED})`, () => {
  fc.assert(
    fc.property(choices, (list) => {
      assertMatch(encodeChoices(list), /^[A-Za-z0-9_~]*$/);
    }),
    { seed: SEED },
  );
});

Deno.test(`decodeChoices() either reads a text or throws SyntaxError (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      let list: Choices;
      try {
        list = decodeChoices(text);
      } catch (error) {
        return error instanceof SyntaxError;
      }
      return encodeChoices(list) === text;
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test.each<[string, Choices]>([
  ["first point", [{ point: 0, option: 1 }]],
  ["largest gap of one digit", [{ point: 6, option: 7 }]],
  ["smallest gap of two digits", [{ point: 7, option: 7 }]],
  ["smallest option of two digits", [{ point: 0, option: 8 }]],
  ["largest option of two digits", [{ point: 0, option: 70 }]],
  ["smallest option of three digits", [{ point: 0, option: 71 }]],
  ["pair of neighbours", [{ point: 3, option: 2 }, { point: 4, option: 1 }]],
  ["gap of 10^9", [{ point: 1e9, option: 1 }]],
])("decodeChoices() reads back the %s", (_name, list) => {
  assertEquals(decodeChoices(encodeChoices(list)), list);
});

Deno.test("encodeChoices() writes the default run as an empty text", () => {
  assertEquals(encodeChoices([]), "");
});

Deno.test("encodeChoices() writes a deviation early in the run as one digit", () => {
  assertEquals(encodeChoices([{ point: 6, option: 7 }]).length, 1);
});

Deno.test("decodeChoices() names the character that is no digit, and where", () => {
  const text = encodeChoices([{ point: 0, option: 1 }]) + "!";
  assertThrows(
    () => decodeChoices(text),
    SyntaxError,
    "Cannot read schedule: '!' at position 1 is no digit",
  );
});

Deno.test("decodeChoices() says that a text which ends within an option is cut short", () => {
  const text = encodeChoices([{ point: 0, option: 71 }]);
  assertThrows(() => decodeChoices(text.slice(0, 2)), SyntaxError, "cut short");
});

Deno.test("decodeChoices() says that a text which ends within a gap is cut short", () => {
  const text = encodeChoices([{ point: 7, option: 1 }]);
  assertThrows(() => decodeChoices(text.slice(0, 1)), SyntaxError, "cut short");
});

const print = fc.record({
  steps: fc.nat(2 ** 30),
  deviations: fc.array(fc.nat(63)),
  whole: fc.nat(2 ** 18 - 1),
});

Deno.test(`decodePrint() reads what encodePrint() wrote (seed ${SEED})`, () => {
  fc.assert(
    fc.property(print, (one) => {
      const text = encodePrint(one);
      assertMatch(text, /^[A-Za-z0-9_~]{4,}$/);
      assertEquals(decodePrint(text, one.deviations.length), one);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("decodePrint() says that a text which ends before the number of steps is cut short", () => {
  const text = encodePrint({ steps: 9, deviations: [1, 2], whole: 3 });
  assertThrows(
    () => decodePrint(text.slice(0, -1), 2),
    SyntaxError,
    "cut short",
  );
  assertThrows(() => decodePrint(text, 3), SyntaxError, "cut short");
});

Deno.test("decodePrint() names the character that is no digit, and where", () => {
  assertThrows(
    () => decodePrint("AA!A", 0),
    SyntaxError,
    "Cannot read schedule: '!' at position 2 of its print is no digit",
  );
});

Deno.test(`mixPrint() tells runs apart that differ in one step (seed ${SEED})`, () => {
  const step = fc.record({
    options: fc.integer({ min: 1, max: 9 }),
    ctx: fc.integer({ min: 1, max: 40 }),
    what: fc.nat(3),
  });
  type MadeStep = { options: number; ctx: number; what: number };
  const printOf = (steps: readonly MadeStep[]) =>
    printWhole(steps.reduce(
      (sum, { options, ctx, what }) => mixPrint(sum, options, ctx, what),
      0,
    ));
  let same = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 20 }),
      step,
      fc.nat(),
      (steps, other, at) => {
        const changed = steps.with(at % steps.length, other);
        if (JSON.stringify(changed) === JSON.stringify(steps)) return;
        if (printOf(changed) === printOf(steps)) same++;
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
  assertEquals([same <= 1, same], [true, same]);
});
