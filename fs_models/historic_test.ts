// Filesystems as they were merged, or proposed: which rule finds each mistake,
// and that the corrected model has none there.

import { assertEquals } from "@std/assert";
import { checkScenario, RULES, scenarioById } from "../conformance/mod.ts";
import { HISTORIC_MODELS, MODELS, type ModelSpec } from "./mod.ts";

function model(models: readonly ModelSpec[], name: string): ModelSpec {
  return models.find((model) => model.name === name)!;
}

const OPTIONS = { runs: 200, shrink: 0 } as const;

for (
  const [historic, corrected, scenario, rule, what] of [
    [
      "ext4-nolock-3.12",
      "ext4-nolock",
      "overwrite-truncate",
      "size-after-data/only-appends",
      "an overwrite undoes a truncate",
    ],
    [
      "xfs-3.12",
      "xfs",
      "aio-write-behind-disk-size",
      "no-sleep-in-interrupt/context",
      "the size on disk is updated in an interrupt (DIO-010)",
    ],
    [
      "xfs-3.12",
      "xfs",
      "append-read",
      "completion-order/reader-sees-data",
      "a reader gets zeros behind the old end (DIO-097)",
    ],
    [
      "xfs-append-queued",
      "xfs",
      "two-appends",
      "no-double-deferral/end-io-finishes",
      "an append is reported when its end has only been queued (DIO-011)",
    ],
    [
      "xfs-append-queued",
      "xfs",
      "two-appends",
      "completion-order/reader-sees-data",
      "so the application does not get what it has written",
    ],
  ] as const
) {
  Deno.test(`${rule}: ${historic} is found, where ${what}; ${corrected} is not`, () => {
    const rules = RULES.filter(({ id }) => id === rule);
    const broken = (spec: ModelSpec) => {
      const report = checkScenario(spec, scenarioById(scenario), {
        ...OPTIONS,
        rules,
      });
      return report.failure?.violations.map(({ rule }) => rule) ?? [];
    };
    const found = broken(model(HISTORIC_MODELS, historic));
    assertEquals(found.includes(rule), true, found.join(", "));
    assertEquals(broken(model(MODELS, corrected)), []);
  });
}
