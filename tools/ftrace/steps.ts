/**
 * What the steps of a completion have in common: their order, and what must
 * have come before each.
 *
 * @module
 */

import { type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

/** The steps of a completion, in order. */
export const STEP = {
  complete: 1,
  callEndIo: 2,
  endIo: 3,
  endIoLeft: 4,
  endIoReturned: 5,
  invalidate: 6,
  countDrop: 7,
  wake: 8,
  sync: 9,
  synced: 10,
  callBack: 11,
  report: 12,
  free: 13,
  left: 14,
} as const;

/** The rule that a step breaks which comes after a later one. */
const LATE_RULES: readonly number[] = [
  R.completeOnce,
  R.completeOnce,
  R.endIoBeforeDone,
  R.endIoBeforeDone,
  R.endIoBeforeDone,
  R.endIoBeforeDone,
  R.invalidate,
  R.doneBeforeReport,
  R.wakeWaiter,
  R.syncBetween,
  R.syncBetween,
  R.freeLast,
  R.freeLast,
  R.freeLast,
  R.nesting,
];

/** The rule that a step breaks which comes twice. */
const TWICE_RULES: readonly number[] = [
  R.completeOnce,
  R.completeOnce,
  R.endIoCalled,
  R.endIoCalled,
  R.endIoCalled,
  R.endIoCalled,
  R.invalidate,
  R.perRequest,
  R.wakeWaiter,
  R.syncBetween,
  R.syncBetween,
  R.once,
  R.once,
  R.freedOnce,
  R.nesting,
];

/**
 * Takes the next step of a completion.
 *
 * @returns False when it does not follow from the one before.
 */
export function advance(r: Recording, dio: Dio, step: number): boolean {
  if (!dio.isWhole) return true;
  const { step: before, stepLine } = dio;
  if (step > before) {
    dio.step = step;
    dio.stepLine = r.no;
    return true;
  }
  // That it is late was told when it was not there.
  if (step < before && (dio.missed & 1 << step) !== 0) return true;
  const rules = step === before ? TWICE_RULES : LATE_RULES;
  r.report(
    rules[step] as number,
    step === before ? "it once" : "it before what has come already",
    stepLine,
  );
  return false;
}

/**
 * A step that should have come has not; it is told once.
 *
 * @param r The recording.
 * @param dio The request.
 * @param step The step, of {@linkcode STEP}.
 * @param rule The rule that is broken.
 * @param code The probe of the step.
 * @param expected What should have been.
 * @param earlier Lines that break it.
 */
export function miss(
  r: Recording,
  dio: Dio,
  step: number,
  rule: number,
  code: number,
  expected: string,
  ...earlier: readonly number[]
): void {
  if ((dio.missed & 1 << step) !== 0) return;
  dio.missed |= 1 << step;
  r.lack(rule, code, expected, ...earlier);
}

/** The completion that runs here and that a line belongs to. */
export function running(r: Recording, path: number): Dio | null {
  const { completion } = r.ctx;
  const dio = completion?.path === path ? completion : null;
  if (dio === null) {
    if (r.isWhole) {
      const name = path === PATH.dio ? "dio_complete" : "iomap_dio_complete";
      r.lack(R.nesting, CODE[name], `${name} before it`);
    }
    return null;
  }
  r.dio = dio;
  r.iocb = dio.iocb;
  return dio;
}

/** Whether a request was reported, or is somebody else's to report. */
export function isReported({ reported, iocb }: Dio): boolean {
  return reported > 0 || iocb.reported > 0 || iocb.isForeign;
}

/** The result that a line tells is what the request has come to. */
export function checkValue(r: Recording, dio: Dio, told: number): void {
  r.exercise(R.precedence);
  if (!dio.isWhole || Number.isNaN(told) || Number.isNaN(dio.value)) return;
  if (told === dio.value) return;
  r.report(R.precedence, `${dio.value}, it is ${told}`, dio.complete);
}

/** i_dio_count has dropped. */
export function checkDone(r: Recording, dio: Dio, rule: number): void {
  if (!dio.isWhole || dio.done > 0) return;
  miss(
    r,
    dio,
    STEP.countDrop,
    rule,
    dio.path === PATH.dio ? CODE.dio_inode_dio_end : CODE.iomap_inode_dio_end,
    "i_dio_count dropped before it",
    dio.complete,
  );
}

/** After the count: whoever waited for it has been woken. */
export function checkWoken(r: Recording, dio: Dio): void {
  if (!dio.isWhole || !dio.wasLast || dio.wokenCount > 0) return;
  const code = CODE.wake_up_bit;
  const what = "wake_up_bit before it";
  miss(r, dio, STEP.wake, R.wakeWaiter, code, what, dio.done);
}
