/**
 * Rules about the life of the workqueue that completions are left to.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** Prefix of the names of completion workqueues. */
const DIO_WQ = "dio/";

/** `workqueue-life`. */
export const WORKQUEUE_RULES: readonly Rule[] = [
  {
    id: "workqueue-life/alive-when-queued",
    sentence: "Work is queued only on a workqueue that is alive",
    why: "a completion runs on freed memory, or never",
    source: "fs/direct-io.c: sb_init_dio_done_wq(), dio_bio_end_aio()",
    bugs: ["DIO-012", "DIO-019"],
    impliedBy: ["workqueue-life/evicted-first"],
    check: ({ exercised, violated }) => {
      const destroyed: Map<number, TraceEvent> = new Map();
      return {
        alloc_workqueue(event) {
          destroyed.delete(event.wq ?? 0);
        },
        destroy_workqueue(event) {
          destroyed.set(event.wq ?? 0, event);
        },
        queue_work(event) {
          exercised();
          const before = destroyed.get(event.wq ?? 0);
          if (before) violated("queue_work before it", before, event);
        },
        workqueue_execute_start(event) {
          const before = destroyed.get(event.wq ?? 0);
          if (before) violated("all work done before it", before, event);
        },
        oops(event) {
          const rule = String(event["rule"]);
          if (rule === "workqueue-life/alive-when-queued") {
            violated(`not: ${event["msg"]}`, event);
          }
        },
        reset: () => destroyed.clear(),
      };
    },
  },
  {
    id: "workqueue-life/run-as-queued",
    sentence:
      "Work runs in a worker, once for each time that it was queued on a workqueue that was made",
    why: "a completion runs that nobody has asked for, or twice",
    source: "kernel/workqueue.c: queue_work(), process_one_work()",
    bugs: ["DIO-012"],
    impliedBy: ["no-use-after-release/slab", "workqueue-life/evicted-first"],
    needs: ["alloc_workqueue", "queue_work", "workqueue_execute_start"],
    check: ({ requests, exercised, violated }) => {
      const queued: Map<number, Set<number>> = new Map();
      const made: Set<number> = new Set();
      return {
        alloc_workqueue(event) {
          made.add(event.wq ?? 0);
        },
        destroy_workqueue(event) {
          if (!made.delete(event.wq ?? 0) && !requests.partial) {
            violated("alloc_workqueue before it", event);
          }
          queued.delete(event.wq ?? 0);
        },
        queue_work(event) {
          if (event["ret"] === 0) return;
          const wq = event.wq ?? 0;
          if (event.dio && !made.has(wq) && !requests.partial) {
            violated("alloc_workqueue before it", event);
          }
          const items = queued.get(wq);
          if (items) items.add(Number(event["work"]));
          else queued.set(wq, new Set([Number(event["work"])]));
        },
        workqueue_execute_start(event) {
          exercised();
          const items = queued.get(event.wq ?? 0);
          const isQueued = items?.delete(Number(event["work"]));
          if (!isQueued && !requests.partial) {
            violated("queue_work before it", event);
          }
          if (event.ctx !== "kworker") {
            violated(`a worker, not a ${event.ctx}`, event);
          }
        },
        reset() {
          queued.clear();
          made.clear();
        },
      };
    },
  },
  oopsRule({
    id: "workqueue-life/exists-when-queued",
    sentence:
      "The superblock's workqueue exists before a completion is deferred",
    why: "a NULL pointer is followed in an interrupt",
    source: "fs/direct-io.c: dio_set_defer_completion()",
    bugs: ["DIO-019"],
    when: ["queue_work"],
  }),
  {
    id: "workqueue-life/on-demand",
    sentence:
      "The workqueue is made by the first request that may have to be deferred",
    why: "every filesystem has threads that it never needs",
    source: "fs/direct-io.c: dio_set_defer_completion(), sb_init_dio_done_wq()",
    bugs: ["DIO-016", "DIO-019"],
    needs: ["dio_set_defer_completion"],
    check: ({ profile, requests, threads, exercised, violated }) => ({
      alloc_workqueue(event) {
        if (!String(event["name"]).startsWith(DIO_WQ)) return;
        if (requests.partial) return;
        exercised();
        const { request } = threads.current;
        const dio = request?.liveDio;
        const mayDefer = profile.invalidateAfter && dio?.isWrite === true &&
          request?.isSync === false;
        if (dio?.deferred || mayDefer) return;
        violated("dio_set_defer_completion before it", dio?.alloc, event);
      },
    }),
  },
  {
    id: "workqueue-life/drained",
    sentence: "A workqueue is destroyed when its work is done",
    why: "a completion runs on a filesystem that is being taken apart",
    source: "kernel/workqueue.c: destroy_workqueue()",
    bugs: ["DIO-016"],
    impliedBy: ["workqueue-life/evicted-first"],
    needs: ["queue_work", "workqueue_execute_end"],
    check: ({ exercised, violated }) => {
      const undone: Map<number, Map<unknown, TraceEvent>> = new Map();
      return {
        queue_work(event) {
          if (event["ret"] === 0) return;
          const wq = event.wq ?? 0;
          const items = undone.get(wq);
          if (items) items.set(event["work"], event);
          else undone.set(wq, new Map([[event["work"], event]]));
        },
        workqueue_execute_end(event) {
          undone.get(event.wq ?? 0)?.delete(event["work"]);
        },
        destroy_workqueue(event) {
          const items = undone.get(event.wq ?? 0);
          if (items === undefined) return;
          exercised();
          for (const queued of items.values()) {
            violated("workqueue_execute_end before it", queued, event);
          }
          undone.delete(event.wq ?? 0);
        },
        reset: () => undone.clear(),
      };
    },
  },
  {
    id: "workqueue-life/gone-before-put-super",
    sentence:
      "A superblock's completion workqueue is destroyed before put_super, and any other by the end",
    why:
      "a completion runs on a filesystem that has been taken apart; or a queue is lost with every mount",
    source: "fs/super.c: generic_shutdown_super()",
    bugs: ["DIO-012", "DIO-016"],
    check: ({ requests, exercised, violated }) => {
      const alive: Map<number, TraceEvent> = new Map();
      return {
        alloc_workqueue(event) {
          alive.set(event.wq ?? 0, event);
        },
        destroy_workqueue(event) {
          alive.delete(event.wq ?? 0);
        },
        put_super(event) {
          for (const alloc of alive.values()) {
            if (alloc["name"] === DIO_WQ + event.sb) {
              violated("destroy_workqueue before it", alloc, event);
            }
          }
          exercised();
        },
        trace_end(event) {
          if (requests.hung) return;
          for (const alloc of alive.values()) {
            violated("destroy_workqueue before it", alloc, event);
          }
        },
        reset: () => alive.clear(),
      };
    },
  },
  {
    id: "workqueue-life/evicted-first",
    sentence:
      "A superblock's last completion workqueue goes after its inodes were evicted",
    why: "an inode that is evicted waits for a completion that nobody runs",
    source: "fs/super.c: generic_shutdown_super()",
    bugs: ["DIO-016"],
    impliedBy: [
      "workqueue-life/alive-when-queued",
      "workqueue-life/drained",
      "workqueue-life/run-as-queued",
    ],
    needs: ["alloc_workqueue", "evict_inodes"],
    check: ({ requests, threads, exercised, violated }) => {
      const alive: Map<number, unknown> = new Map();
      return {
        alloc_workqueue(event) {
          alive.set(event.wq ?? 0, event["name"]);
        },
        destroy_workqueue(event) {
          const { name } = event;
          alive.delete(event.wq ?? 0);
          if (!String(name).startsWith(DIO_WQ)) return;
          // Of two who make it at once, the loser destroys his own.
          for (const other of alive.values()) if (other === name) return;
          exercised();
          const isEvicted = threads.current.inside("evict_inodes");
          if (isEvicted || requests.partial) return;
          violated("evict_inodes before it", event);
        },
        reset: () => alive.clear(),
      };
    },
  },
];
