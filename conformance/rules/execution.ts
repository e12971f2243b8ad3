/**
 * Rules about the contexts that completions run in, deferral, and waiting.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** Prefix of the names of completion workqueues. */
const DIO_WQ = "dio/";

/** `no-sleep-in-interrupt`, `no-double-deferral`, `workqueue-life`, … */
export const EXECUTION_RULES: readonly Rule[] = [
  {
    id: "no-sleep-in-interrupt/context",
    sentence:
      "Code that may sleep runs neither in an interrupt nor under a spinlock",
    why: "sleeping function called from invalid context: the machine hangs",
    source: "include/linux/kernel.h: might_sleep()",
    bugs: ["DIO-010", "DIO-029", "DIO-074", "DIO-142"],
    check: ({ exercised, violated }) => ({
      might_sleep(event) {
        exercised();
        const interrupt = event.ctx === "softirq" || event.ctx === "hardirq";
        const atomic = Number(event["atomic"]) > 0 ||
          Number(event["irqs_off"]) > 0;
        if (interrupt || atomic) {
          violated(
            `${event["fn"]} in a context that may sleep, not ${
              interrupt ? `in a ${event.ctx}` : "under a spinlock"
            }`,
            event,
          );
        }
      },
    }),
  },
  {
    id: "no-double-deferral/end-io-finishes",
    sentence: "When end_io returns its work is done, not queued elsewhere",
    why:
      "the completion is reported while the conversion is pending: a reader gets zeros",
    source: "fs/direct-io.c: dio_complete(); review of the 2013 patch",
    bugs: ["DIO-011", "DIO-028"],
    check: ({ requests, exercised, violated }) => {
      const inside: Map<string, TraceEvent> = new Map();
      return {
        end_io(event) {
          inside.set(thread(event), event);
        },
        end_io_return(event) {
          if (requests.dioOf(event)?.endIo) exercised();
          inside.delete(thread(event));
        },
        queue_work(event) {
          const endIo = inside.get(thread(event));
          if (endIo) {
            violated(
              `the work of ${event["fn"]} to be done inside ${endIo["fn"]}`,
              endIo,
              event,
            );
          }
        },
      };
    },
  },
  {
    id: "no-double-deferral/queued-once",
    sentence: "The completion of a request is queued at most once",
    why: "the second run works on a dio that has been freed",
    source: "fs/direct-io.c: dio_bio_end_aio()",
    bugs: ["DIO-011"],
    check: ({ requests, exercised, violated }) => {
      const queued: Map<number, TraceEvent> = new Map();
      return {
        queue_work(event) {
          const dio = requests.dioOf(event);
          if (dio === undefined || event["ret"] === 0) return;
          exercised();
          const before = queued.get(dio.id);
          if (before) violated("one queue_work", before, event);
          queued.set(dio.id, event);
        },
        dio_free(event) {
          queued.delete(event.dio ?? 0);
        },
      };
    },
  },
  {
    id: "workqueue-life/alive-when-queued",
    sentence: "Work is queued only on a workqueue that is alive",
    why: "a completion runs on freed memory, or never",
    source: "fs/direct-io.c: sb_init_dio_done_wq(), dio_bio_end_aio()",
    bugs: ["DIO-012", "DIO-019"],
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
    id: "workqueue-life/gone-before-put-super",
    sentence:
      "Every completion workqueue of a superblock is destroyed before put_super",
    why:
      "a completion runs on a filesystem that has been taken apart; or a queue is lost with every mount",
    source: "fs/super.c: generic_shutdown_super()",
    bugs: ["DIO-012", "DIO-016"],
    check: ({ exercised, violated }) => {
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
      };
    },
  },
  oopsRule({
    id: "completion-after-last-bio/submitter",
    sentence: "A submitter that has waited holds the last reference",
    why: "a request that was waited for is still in flight",
    source: "fs/direct-io.c: do_blockdev_direct_IO(), BUG_ON",
    bugs: ["DIO-020"],
    when: ["direct_IO_return"],
  }),
  oopsRule({
    id: "completion-after-last-bio/end-handler",
    sentence: "A bio that ends has an end handler",
    why: "nobody learns that it has ended",
    source: "block/bio.c: bio_endio()",
    bugs: [],
    when: ["bio_endio"],
  }),
  oopsRule({
    id: "lock-handover/unlock-by-owner",
    sentence: "A lock is released by the one who holds it",
    why: "somebody else's critical section is broken open",
    source: "kernel/locking/mutex.c, fs/direct-io.c",
    bugs: ["DIO-049", "DIO-124"],
    when: ["direct_IO_return"],
  }),
  {
    id: "liveness/blocked-for-ever",
    sentence: "Everybody who waits is woken",
    why: "a hung task",
    source: "fs/direct-io.c: dio_await_one(); fs/inode.c: inode_dio_wait()",
    bugs: ["DIO-022", "DIO-086", "DIO-110"],
    check: ({ exercised, violated }) => ({
      hung_task(event) {
        violated(`nobody to wait for ever: ${event["msg"]}`, event);
      },
      might_sleep: exercised,
    }),
  },
];

function thread({ cpu, ctx, tid }: TraceEvent): string {
  return `${ctx}-${cpu}-${tid}`;
}
