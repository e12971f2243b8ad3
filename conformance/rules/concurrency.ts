/**
 * The rule about how many completions a workqueue runs at once.
 *
 * @module
 */

import {
  type TraceEvent,
  WQ_DFL_ACTIVE,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
} from "../../core/mod.ts";
import type { Rule } from "../rule.ts";

/** What is known of a workqueue. */
interface Queue {
  readonly isBound: boolean;
  readonly maxActive: number;
  /** Items that were queued and have not ended, with their processor. */
  readonly items: Map<unknown, TraceEvent>;
}

/** `completion-concurrency`. */
export const CONCURRENCY_RULES: readonly Rule[] = [
  {
    id: "completion-concurrency/runs-at-once",
    sentence:
      "A deferred completion gets a worker at once, whatever other completions do",
    why:
      "one completion that waits for a commit or a flush holds up all others, and two that wait for each other never end",
    source: "review of the 2013 patch: max_active 1; kernel/workqueue.c",
    bugs: ["DIO-009"],
    needs: ["alloc_workqueue", "queue_work", "workqueue_execute_end"],
    check: ({ exercised, violated }) => {
      const queues: Map<number, Queue> = new Map();
      return {
        alloc_workqueue(event) {
          queues.set(event.wq ?? 0, {
            isBound: (Number(event["flags"]) & WQ_UNBOUND) === 0,
            maxActive: Number(event["max_active"]),
            items: new Map(),
          });
        },
        destroy_workqueue(event) {
          queues.delete(event.wq ?? 0);
        },
        queue_work(event) {
          const queue = queues.get(event.wq ?? 0);
          if (queue === undefined || event["ret"] === 0) return;
          const first = ahead(queue, event);
          queue.items.set(event["work"], event);
          if (!event.dio) return;
          exercised();
          if (first !== undefined && queue.maxActive < WQ_DFL_ACTIVE) {
            violated(
              `a worker: the queue runs ${queue.maxActive} at a time`,
              first,
              event,
            );
          }
        },
        workqueue_execute_end(event) {
          queues.get(event.wq ?? 0)?.items.delete(event["work"]);
        },
        reset: () => queues.clear(),
      };
    },
  },
  {
    id: "completion-concurrency/rescuer",
    sentence: "The workqueue of a completion has a rescuer",
    why:
      "without memory for a worker the completions never run that would free memory",
    source: "fs/direct-io.c: sb_init_dio_done_wq(), WQ_MEM_RECLAIM",
    bugs: ["DIO-158"],
    needs: ["alloc_workqueue", "queue_work"],
    check: ({ exercised, violated }) => {
      const without: Map<number, TraceEvent> = new Map();
      return {
        alloc_workqueue(event) {
          const flags = Number(event["flags"]);
          if ((flags & WQ_MEM_RECLAIM) === 0) without.set(event.wq ?? 0, event);
        },
        destroy_workqueue(event) {
          without.delete(event.wq ?? 0);
        },
        queue_work(event) {
          if (!event.dio) return;
          exercised();
          const alloc = without.get(event.wq ?? 0);
          if (alloc) violated("WQ_MEM_RECLAIM among its flags", alloc, event);
        },
        reset: () => without.clear(),
      };
    },
  },
];

/** The first of those that an item has to wait for, if the queue is full. */
function ahead(queue: Queue, event: TraceEvent): TraceEvent | undefined {
  let count = 0;
  let first: TraceEvent | undefined;
  for (const item of queue.items.values()) {
    if (queue.isBound && item.cpu !== event.cpu) continue;
    first ??= item;
    count++;
  }
  return count >= queue.maxActive ? first : undefined;
}
