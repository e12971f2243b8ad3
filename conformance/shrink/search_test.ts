import { assert, assertEquals } from "@std/assert";
import {
  type Bio,
  type Dio,
  DirectIo,
  random,
  type Task,
} from "../../core/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { MirroredError, TWO_BIOS } from "../testdata/mirrored_error.ts";
import { reduceScenario } from "./reductions.ts";
import { fewestChoices, isSimpler } from "./search.ts";
import { type Failing, Trials } from "./trials.ts";

const plain = MODELS.find(({ name }) => name === "plain")!;
const RULE = "error-reported/every-bio";

/** Loses the error of a bio that ends after the other one. */
class LastLoses extends DirectIo {
  override *dioNoteError(dio: Dio, bio: Bio): Task<void> {
    if (dio.refcount > 1) yield* super.dioNoteError(dio, bio);
  }
}

/** Without the other writer, and without the wait for the event. */
const ONE_WRITER = reduceScenario(TWO_BIOS, [1, 0]);

/** The first failing run at random, and what is left of the budget. */
function firstFailing(
  directIo: (kernel: DirectIo["kernel"]) => DirectIo,
  budget: number,
): { readonly trials: Trials; readonly failing: Failing } {
  const trials = new Trials(plain, RULE, { directIo }, false, budget);
  for (let seed = 1;; seed++) {
    const { failing } = trials.run(ONE_WRITER, random(seed));
    if (failing !== null) return { trials, failing };
  }
}

const losesError = (kernel: DirectIo["kernel"]) =>
  new MirroredError(kernel, { quick: 0, thorough: 0 });

Deno.test("fewestChoices() finds that an order of two ends is enough, and no preemption", () => {
  const { trials, failing } = firstFailing((k) => new LastLoses(k), 1000);
  assert(failing.preemptions > 0);
  const fewest = fewestChoices(trials, failing);
  assertEquals(fewest.isLeast, true);
  assertEquals([fewest.failing.preemptions, fewest.failing.choices.length], [
    0,
    1,
  ]);
});

Deno.test("fewestChoices() finds that three preemptions are needed", () => {
  const { trials, failing } = firstFailing(losesError, 20_000);
  const fewest = fewestChoices(trials, failing);
  assertEquals([fewest.failing.preemptions, fewest.isLeast], [3, true]);
});

Deno.test("fewestChoices() claims nothing when the budget is not enough", () => {
  const { trials, failing } = firstFailing(losesError, 100);
  const fewest = fewestChoices(trials, failing);
  assertEquals(fewest.isLeast, false);
  assertEquals(fewest.failing.token, failing.token);
  assertEquals(trials.left <= 0, true);
});

Deno.test("isSimpler() counts preemptions first, then choices", () => {
  const cost = (preemptions: number, length: number) => ({
    preemptions,
    choices: Array.from({ length }, (_, point) => ({ point, option: 1 })),
  });
  assertEquals(isSimpler(cost(1, 9), cost(2, 1)), true);
  assertEquals(isSimpler(cost(1, 2), cost(1, 3)), true);
  assertEquals(isSimpler(cost(1, 3), cost(1, 3)), false);
  assertEquals(isSimpler(cost(2, 1), cost(1, 9)), false);
});
