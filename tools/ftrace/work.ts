/**
 * Work items: from the queue to the end of their function.
 *
 * @module
 */

import { settleBio } from "./bio_settle.ts";
import { leaveCompletion } from "./completion.ts";
import { isReported } from "./steps.ts";
import { hex, KEY } from "./args.ts";
import { LEVEL } from "./line.ts";
import { Work } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

const COMPLETIONS: ReadonlySet<string> = new Set([
  "dio_aio_complete_work",
  "iomap_dio_complete_work",
]);
/** Work that a filesystem would do for a completion, had it put it off. */
const PUT_OFF = /end_io|endio|complet/;
const STRUCT = "struct ";
const FUNCTION = ": function ";
const KWORKER = "kworker";
const DIO = "dio/";
const ADDRESS = /^[0-9a-f]{16}$/;
const SPACE = 0x20;

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** `workqueue_queue_work` */
export function onQueueWork(r: Recording): void {
  if (r.probe !== null) r.args.read(r.line, r.probe.layout);
  const { args, ctx, names } = r;
  const fn = args.get(KEY.function);
  const name = names.text(fn);
  const inside = ctx.completion;
  if (inside !== null && inside.isWhole) {
    const isOpen = inside.endIoCalled > 0 && inside.endIoReturned === 0;
    if (isOpen && PUT_OFF.test(name)) {
      r.exercise(R.endIoFinishes);
      r.report(
        R.endIoFinishes,
        `the work of ${name} done in it`,
        inside.endIoCalled,
      );
    }
  }
  if (!COMPLETIONS.has(name)) return;
  const queue = args.get(KEY.workqueue);
  const dio = ctx.bio?.dio ?? null;
  const work = new Work(++r.newestWork, r.no, dio, queue, fn);
  const struct = args.get(KEY.struct);
  const before = r.works.get(struct);
  r.keep(r.works, struct, work);
  r.work = work;
  r.dio = dio;
  r.exercise(R.queuedOnce);
  if (before !== undefined && before.started === 0) {
    r.report(
      R.queuedOnce,
      "work that is pending not queued again",
      before.line,
    );
  }
  if (dio === null) {
    if (r.isWhole) {
      r.lack(R.whole, CODE.submit_bio, "the end of a bio around it");
    }
    return;
  }
  r.iocb = dio.iocb;
  checkQueue(r, work);
  if (dio.work > 0 && dio.isWhole) {
    r.report(R.queuedOnce, "the completion queued once", dio.work);
  }
  dio.work = r.no;
  if (dio.deferred === 0) {
    if (dio.isWhole) {
      r.lack(
        R.deferral,
        name === "dio_aio_complete_work"
          ? CODE.dio_end_aio_DEFER
          : CODE.iomap_end_io_QUEUE_WORK,
        "the decision to queue it before it",
        dio.lastDrop,
      );
    }
    dio.deferred = r.no;
  }
}

function checkQueue(r: Recording, { queue, dio }: Work): void {
  const { names } = r;
  const text = names.text(queue);
  // Before Linux 5.16 the tracepoint gave an address.
  if (dio === null || text === "" || ADDRESS.test(text)) return;
  r.exercise(R.queueName);
  const expected = dio.queueName || (r.queues.get(dio.ino) ?? r.queueName);
  if (!text.startsWith(DIO)) {
    r.report(R.queueName, `a workqueue dio/<s_id>, not ${text}`);
  } else if (expected > 0 && expected !== queue) {
    r.report(R.queueName, `${names.text(expected)}, not ${text}`);
  }
  // An inode of another superblock may take the place of a dead one.
  if (dio.ino > 0 && r.isWhole) r.keep(r.queues, dio.ino, queue);
}

/** `work struct 00000000433b656c: function dio_aio_complete_work` */
function readWork(r: Recording): readonly [struct: number, fn: number] {
  const { bytes, argsAt, argsEnd } = r.line;
  let at = argsAt;
  while (at < argsEnd && !startsWith(bytes, at, STRUCT)) at++;
  const struct = hex(bytes, at + STRUCT.length, argsEnd);
  while (at < argsEnd && !startsWith(bytes, at, FUNCTION)) at++;
  const from = Math.min(at + FUNCTION.length, argsEnd);
  let to = from;
  while (to < argsEnd && bytes[to] !== SPACE) to++;
  return [struct, r.names.at(bytes, from, to)];
}

/** `workqueue_execute_start` */
export function onWorkStart(r: Recording): void {
  const { ctx } = r;
  const [struct, fn] = readWork(r);
  const known = r.works.get(struct);
  if (!COMPLETIONS.has(r.names.text(fn))) return;
  const work = known?.fn === fn
    ? known
    : new Work(++r.newestWork, r.no, null, 0, fn);
  ctx.work = r.work = work;
  r.dio = work.dio;
  r.exercise(R.workRuns);
  if (known === undefined || known.fn !== fn) {
    if (r.isWhole) {
      r.lack(R.workRuns, CODE.workqueue_queue_work, "it queued before it");
    }
  } else if (work.started > 0) {
    r.report(R.workRuns, "work that was queued once to run once", work.started);
  }
  work.started = r.no;
  const { bytes, commAt } = r.line;
  if (ctx.level !== LEVEL.task || !startsWith(bytes, commAt, KWORKER)) {
    r.report(R.workRuns, "it in a kworker");
  }
}

/** The function of a completion's work is entered. */
export function onWorkEntry(r: Recording): void {
  const { ctx } = r;
  const { work } = ctx;
  const fn = r.probe?.fn ?? 0;
  // iomap calls the same function itself when nothing has to sleep.
  if (work === null && ctx.bio !== null) return;
  r.exercise(R.workRuns);
  const start = CODE.workqueue_execute_start;
  const isTold = r.inventory.isCertain(start);
  if (work?.fn !== fn || work.entered > 0 && !isTold) {
    if (r.isWhole) r.lack(R.workRuns, start, "the work that runs it");
    if (isTold) return;
    ctx.work = new Work(++r.newestWork, r.no, null, 0, fn);
    ctx.work.started = ctx.work.entered = r.no;
    return;
  }
  r.work = work;
  r.dio = work.dio;
  if (work.entered > 0) r.report(R.workRuns, "it once in a work", work.entered);
  work.entered = r.no;
}

/** `workqueue_execute_end` */
export function onWorkEnd(r: Recording): void {
  const { ctx } = r;
  const [struct, fn] = readWork(r);
  settleBio(r, ctx);
  if (!COMPLETIONS.has(r.names.text(fn))) return;
  const { work } = ctx;
  leaveCompletion(r);
  ctx.work = null;
  ctx.reporting = null;
  ctx.depth = 0;
  if (work === null || work.fn !== fn || r.works.get(struct) !== work) {
    if (r.isWhole) {
      r.lack(R.workRuns, CODE.workqueue_execute_start, "its start before it");
    }
    if (work === null) return;
  }
  r.works.delete(struct);
  r.work = work;
  const dio = r.dio = work.dio;
  if (dio === null || !dio.isWhole) return;
  r.exercise(R.workRuns);
  if (work.entered === 0) {
    const name = r.names.text(fn) as keyof typeof CODE;
    r.lack(R.workRuns, CODE[name], `${name} before it`, work.started);
  }
  if (dio.complete === 0) {
    r.lack(
      R.workRuns,
      CODE.dio_complete,
      "the completion before it",
      work.started,
    );
  } else if (!isReported(dio)) {
    r.lack(
      R.neverNeither,
      CODE.aio_complete_rw,
      "the report before it",
      dio.complete,
    );
  }
}
