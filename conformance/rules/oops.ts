/**
 * Rules that the simulated kernel checks by itself while it runs.
 *
 * @module
 */

import type { EventName } from "../../core/mod.ts";
import type { Handlers, Rule } from "../rule.ts";

/**
 * A rule whose violation is an `oops` event that names it.
 *
 * @param rule The rule, and the events after which it could have been broken.
 * @returns The rule.
 */
export function oopsRule(
  rule: Omit<Rule, "check"> & { readonly when: readonly EventName[] },
): Rule {
  const { when, ...data } = rule;
  return {
    ...data,
    check: ({ exercised, violated }) => {
      const handlers: Handlers = {
        oops(event) {
          if (event["rule"] === rule.id) {
            violated(`not: ${event["msg"]}`, event);
          }
        },
      };
      for (const ev of when) handlers[ev] = exercised;
      return handlers;
    },
  };
}
