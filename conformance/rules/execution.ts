/**
 * Rules about the contexts that completions run in, deferral, and waiting.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule, RuleScope } from "../rule.ts";
import type { Threads } from "../threads.ts";
import { oopsRule } from "./oops.ts";

/** `no-sleep-in-interrupt`, `no-double-deferral`, `liveness`, … */
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
    id: "no-sleep-in-interrupt/deferred-in-worker",
    sentence: "A completion that was deferred runs in the work that was queued",
    why: "the filesystem sleeps in an interrupt; or the work finds no request",
    source: "fs/direct-io.c: dio_bio_end_aio(), dio_aio_complete_work()",
    bugs: ["DIO-010", "DIO-029"],
    needs: ["queue_work", "workqueue_execute_start", "dio_complete"],
    check: ({ requests, threads, exercised, violated }) => ({
      dio_complete(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined) return;
        const { queued, deferred, submitted } = dio;
        const isDeferred = deferred !== undefined && submitted > 0 &&
          event["is_async"] === 1;
        if (!queued && !isDeferred) return;
        exercised();
        const work = threads.current.inside("workqueue_execute_start");
        if (work !== undefined && work.dio === dio.id) return;
        violated(
          queued ? "workqueue_execute_start before it" : "queue_work before it",
          queued ?? deferred,
          event,
        );
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
    check: ({ requests, threads, exercised, violated }) => ({
      end_io_return(event) {
        if (requests.dioOf(event)?.endIo) exercised();
      },
      i_disksize_write(event) {
        const { completing } = threads.current;
        if (!completing?.endIoReturn || completing.done) return;
        violated("end_io_return after it", completing.endIoReturn, event);
      },
      queue_work(event) {
        const endIo = threads.current.inside("end_io");
        if (endIo) {
          violated(
            `the work of ${event["fn"]} to be done inside ${endIo["fn"]}`,
            endIo,
            event,
          );
        }
      },
    }),
  },
  {
    id: "no-double-deferral/queued-once",
    sentence: "The completion of a request is queued at most once",
    why: "the second run works on a dio that has been freed",
    source: "fs/direct-io.c: dio_bio_end_aio()",
    bugs: ["DIO-011"],
    impliedBy: [
      "completion-after-last-bio/once",
      "no-use-after-release/page-array",
      "no-use-after-release/slab",
    ],
    check: ({ requests, exercised, violated }) => ({
      queue_work(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined || event["ret"] === 0) return;
        exercised();
        if (dio.queued) violated("one queue_work", dio.queued, event);
      },
    }),
  },
  {
    id: "no-double-deferral/work-finishes",
    sentence: "When the work of a completion ends the request is over",
    why: "what is left of it is done later, or never",
    source: "fs/direct-io.c: dio_aio_complete_work()",
    bugs: ["DIO-011"],
    impliedBy: ["released-once/dio"],
    needs: ["dio_free"],
    check: ({ requests, exercised, violated }) => ({
      workqueue_execute_end(event) {
        if ((event.dio ?? 0) === 0) return;
        exercised();
        const dio = requests.dioOf(event);
        if (dio) violated("dio_free before it", dio.complete, event);
      },
    }),
  },
  oopsRule({
    id: "lock-handover/unlock-by-owner",
    sentence: "A lock is released by the one who holds it",
    why: "somebody else's critical section is broken open",
    source: "kernel/locking/mutex.c, fs/direct-io.c",
    bugs: ["DIO-049", "DIO-124"],
    when: ["direct_IO_return"],
  }),
  {
    id: "lock-handover/none-left",
    sentence: "A thread ends without holding a lock",
    why: "whoever needs the lock next waits for ever",
    source: "kernel/exit.c: do_exit(), debug_check_no_locks_held()",
    bugs: ["DIO-049", "DIO-124"],
    check: ({ exercised, violated }) => ({
      direct_IO_return: exercised,
      locks_held(event) {
        violated(
          `${event["held"]} locks released before: ${event["lock"]}`,
          event,
        );
      },
    }),
  },
  {
    id: "lock-handover/no-deadlock",
    sentence: "Nobody waits for a lock of somebody who waits for them",
    why: "a hung task, and every one after it that wants the lock",
    source: "fs/inode.c: inode_dio_wait() under i_mutex; fs/direct-io.c",
    bugs: ["DIO-080", "DIO-110", "DIO-121"],
    check: ({ threads, exercised, violated }) => ({
      hung_task(event) {
        if (!isDeadlock(threads, event)) return;
        violated(`nobody to wait for ever: ${event["msg"]}`, event);
      },
      might_sleep: exercised,
    }),
  },
  {
    id: "liveness/blocked-for-ever",
    sentence: "Everybody who waits is woken",
    why: "a hung task",
    source: "fs/direct-io.c: dio_await_one(); fs/inode.c: inode_dio_wait()",
    bugs: ["DIO-008", "DIO-022", "DIO-086"],
    check: ({ threads, exercised, violated }) => ({
      hung_task(event) {
        if (isDeadlock(threads, event)) return;
        violated(`nobody to wait for ever: ${event["msg"]}`, event);
      },
      might_sleep: exercised,
    }),
  },
  {
    id: "liveness/soft-lockup",
    sentence: "Nobody spins for ever",
    why: "a soft lockup: a processor is lost, and whoever needs what it holds",
    source: "kernel/watchdog.c: watchdog_timer_fn()",
    bugs: [],
    check: ({ exercised, violated }) => ({
      soft_lockup(event) {
        violated(`everybody to come to an end: ${event["msg"]}`, event);
      },
      trace_end: exercised,
    }),
  },
  {
    id: "liveness/woken",
    sentence: "Whoever sleeps is woken by what it waits for, and not before",
    why: "a wake-up that comes too early is lost: the thread sleeps for ever",
    source:
      "fs/direct-io.c: dio_await_one(); fs/inode.c: inode_dio_done(); fs/aio.c: aio_complete()",
    bugs: ["DIO-022"],
    needs: ["wake_up_process", "might_sleep"],
    check: (scope) => ({
      each(event) {
        const { sleeping, wakes } = scope.threads.current;
        if (sleeping === undefined) return;
        if (event.ev === "wake_up_process" || event.ev === "oops") return;
        if (event.ev === "hung_task" || scope.requests.partial) return;
        scope.exercised();
        if (wakes > 0) return;
        scope.violated("wake_up_process before it", sleeping, event);
      },
      wake_up_process(event) {
        const sleeper = scope.threads.get(Number(event["pid"]));
        if (sleeper === undefined || scope.requests.partial) return;
        const wait = sleeper.sleeping ?? sleeper.inside("inode_dio_wait");
        if (wait !== undefined) causedBy(scope, wait, event);
      },
    }),
  },
];

/**
 * Whether those who wait for ever wait for each other's locks, or a completion
 * for a lock of somebody who waits for that completion.
 */
function isDeadlock({ all }: Threads, { msg }: TraceEvent): boolean {
  const [verdict = ""] = String(msg).split(";");
  if (verdict.startsWith("deadlock of ")) return true;
  if (verdict.endsWith(" deadlocks with itself")) return true;
  const threads = [...all];
  return threads.some(({ completing, last }) =>
    completing !== undefined && /^(?:mutex_lock|down_)/.test(`${last?.["fn"]}`)
  ) && threads.some((thread) => thread.inside("inode_dio_wait") !== undefined);
}

/** What wakes a sleeper, by the function that it sleeps in. */
const CAUSES: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ["io_getevents", new Set(["aio_complete"])],
  ["inode_dio_wait", new Set(["inode_dio_done"])],
  [
    "io_schedule",
    new Set([
      "dio_bio_end_aio",
      "dio_bio_end_io",
      "blkdev_bio_end_io",
      "dio_io_error",
      "bio_check_pages_dirty",
      "bio_put",
      "put_page",
      "queue_work",
    ]),
  ],
]);

/** Who has reported a request lets go of its file before he wakes anybody. */
function isFput({ ev, fn }: TraceEvent): boolean {
  return ev === "__fput" || (ev === "queue_work" && fn === "delayed_fput");
}

function causedBy(
  { threads, exercised, violated }: RuleScope,
  wait: TraceEvent,
  wake: TraceEvent,
): void {
  const causes = CAUSES.get(wait["fn"] ?? wait.ev);
  if (causes === undefined) return;
  exercised();
  const { last } = threads.current;
  if (last !== undefined && isFput(last)) return;
  const isDue = last !== undefined && causes.has(last.ev) &&
    (last.ev !== "inode_dio_done" ||
      (last["count"] === 0 && last.ino === wait.ino));
  if (isDue) return;
  violated(`${[...causes].join(" or ")} before it`, wait, last, wake);
}
