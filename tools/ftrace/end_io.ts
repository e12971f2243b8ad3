/**
 * The filesystem's end_io, as part of a completion.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { entryOf, returnOf } from "./calls.ts";
import { type Dio, PATH } from "./objects.ts";
import { CODE, DOES, type Probe } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { onMapping } from "./references.ts";
import { R } from "./rules.ts";
import { advance, miss, running, STEP } from "./steps.ts";

/** Operations of iomap whose end_io is known to be there. */
const WITH_END_IO: ReadonlySet<string> = new Set([
  "ext4_dio_write_ops",
  "xfs_dio_write_ops",
  "f2fs_iomap_dio_read_ops",
  "f2fs_iomap_dio_write_ops",
  "zonefs_write_dio_ops",
]);

/** The filesystem's end_io is called. */
export function onCallEndIo(r: Recording, path: number): void {
  const { args } = r;
  const dio = running(r, path);
  if (dio === null) return;
  dio.endIo = args.get(KEY.fn);
  if (!advance(r, dio, STEP.callEndIo)) return;
  dio.endIoCalled = r.no;
  r.exercise(R.endIoCalled);
  if (path === PATH.dio) checkEndIoArgs(r, dio, args.get(KEY.bytes));
  else checkIomapArgs(r, dio);
}

function checkEndIoArgs(r: Recording, dio: Dio, bytes: number): void {
  if (!dio.isWhole) return;
  const off = r.args.get(KEY.off);
  if (Number.isNaN(bytes + off)) return;
  if (bytes !== dio.value || off !== dio.offset) {
    r.report(
      R.precedence,
      `${dio.value} bytes at ${dio.offset}, not ${bytes} at ${off}`,
      dio.complete,
    );
  }
}

function checkIomapArgs(r: Recording, dio: Dio): void {
  if (!dio.isWhole) return;
  const { args } = r;
  const [size, error] = [args.get(KEY.size), args.get(KEY.error)];
  if (Number.isNaN(size + error)) return;
  if (size === dio.size && error === dio.error) return;
  r.report(
    R.precedence,
    `size ${dio.size} and error ${dio.error}, as the request has`,
    dio.complete,
  );
}

/** A function of a filesystem is entered: its end_io, or what that calls. */
export function onOtherEntry(r: Recording, { fn, does }: Probe): void {
  const dio = r.ctx.completion;
  if (does === DOES.map) onMapping(r);
  if (dio === null || fn === 0) return;
  r.dio = dio;
  r.iocb = dio.iocb;
  if (does === DOES.convert) checkConvert(r, dio);
  if (fn !== dio.endIo) return;
  if (advance(r, dio, STEP.endIo)) {
    dio.endIoEntered = r.no;
    if (dio.path === PATH.dio) checkEndIoArgs(r, dio, r.args.get(KEY.bytes));
    else checkIomapArgs(r, dio);
  }
  if (dio.endIoCalled === 0) {
    miss(
      r,
      dio,
      STEP.callEndIo,
      R.endIoCalled,
      dio.path === PATH.dio ? CODE.dio_call_end_io : CODE.iomap_call_end_io,
      "the call of end_io before it",
      dio.complete,
    );
  }
}

/** What a filesystem does for a completion it does inside its end_io. */
function checkConvert(r: Recording, dio: Dio): void {
  if (!dio.isWhole || !(dio.endIo > 0)) return;
  r.exercise(R.endIoFinishes);
  if (dio.endIoLeft > 0) {
    r.report(R.endIoFinishes, "it inside end_io", dio.endIoLeft);
  } else if (dio.endIoEntered === 0 && r.calls.showsEntry(dio.endIo)) {
    const code = entryOf(r, dio.endIo);
    r.lack(R.endIoFinishes, code, "end_io around it", dio.complete);
  }
}

/** A function that no rule knows returns. */
export function onOtherReturn(r: Recording, fn: number): void {
  const dio = r.ctx.completion;
  if (dio === null) return;
  r.dio = dio;
  r.iocb = dio.iocb;
  if (fn !== dio.endIo) return;
  if (advance(r, dio, STEP.endIoLeft)) dio.endIoLeft = r.no;
  const ret = r.args.get(KEY.ret);
  dio.endIoResult = ret;
}

/** The filesystem's end_io has returned. */
export function onEndIoReturned(r: Recording, path: number): void {
  const dio = running(r, path);
  if (dio === null) return;
  const err = r.args.get(KEY.err);
  if (!advance(r, dio, STEP.endIoReturned)) return;
  dio.endIoReturned = r.no;
  if (dio.endIoCalled === 0) {
    miss(
      r,
      dio,
      STEP.callEndIo,
      R.endIoCalled,
      path === PATH.dio ? CODE.dio_call_end_io : CODE.iomap_call_end_io,
      "the call of end_io before it",
      dio.complete,
    );
  }
  const { endIo, endIoEntered, endIoLeft } = dio;
  if (endIoEntered === 0 && r.calls.showsEntry(endIo)) {
    r.lack(
      R.endIoCalled,
      entryOf(r, endIo),
      `${r.names.text(endIo)} before it`,
      dio.endIoCalled,
    );
  }
  if (endIoLeft > 0 && dio.isWhole && err !== dio.endIoResult) {
    r.report(R.precedence, `${dio.endIoResult}, as end_io returned`, endIoLeft);
  }
  if (endIoLeft === 0 && endIoEntered > 0 && r.calls.showsReturn(endIo)) {
    const what = "the return of end_io before it";
    r.lack(R.endIoBeforeDone, returnOf(r, endIo), what, endIoEntered);
  }
  if (path === PATH.iomap) dio.value = err;
  else if (err !== 0) dio.value = err;
}

/** The bytes of an iomap request, once end_io has had its say. */
export function settleValue(r: Recording, dio: Dio): void {
  if (dio.path !== PATH.iomap || dio.value !== 0) return;
  const room = dio.iSize - dio.offset;
  dio.value = !dio.isWrite && dio.size > room ? room : dio.size;
  r.exercise(R.precedence);
}

/** What the completion of a request returns. */
export function settleReturn(r: Recording, dio: Dio): void {
  const { endIoCalled, endIoEntered, endIoLeft, endIoReturned } = dio;
  const isOpen = endIoLeft === 0 && endIoReturned === 0;
  // What end_io makes of it only a probe at its return can tell.
  if (isOpen && (endIoCalled > 0 || endIoEntered > 0)) dio.value = NaN;
  settleValue(r, dio);
  const isIomap = dio.path === PATH.iomap;
  if (isIomap && dio.value > 0) dio.value += dio.transferred;
}

/** end_io has been called, and has returned, if there is one. */
export function checkEndIoDone(r: Recording, dio: Dio, rule: number): void {
  if (!dio.isWhole || dio.endIoReturned > 0) return;
  const isIomap = dio.path === PATH.iomap;
  if (dio.endIoCalled > 0 || dio.endIoEntered > 0) {
    const code = isIomap
      ? CODE.iomap_end_io_returned
      : CODE.dio_end_io_returned;
    const lines = [dio.endIoCalled, dio.endIoEntered];
    if ((dio.missed & 1 << STEP.endIoReturned) !== 0) return;
    dio.missed |= 1 << STEP.endIoReturned;
    // Of a function without a probe at its return nobody knows when it ends.
    const isKnown = r.inventory.shows(code) ||
      r.calls.showsReturn(dio.endIo);
    const what = "end_io returned before it";
    if (dio.endIoLeft > 0 || !isKnown) r.lack(rule, code, what, ...lines);
    else r.lack(rule, returnOf(r, dio.endIo), what, ...lines);
    return;
  }
  const hasOne = isIomap
    ? WITH_END_IO.has(r.names.text(dio.ops || 0))
    : dio.endIo > 0;
  if (!hasOne) return;
  const code = isIomap ? CODE.iomap_call_end_io : CODE.dio_call_end_io;
  const what = "end_io called before it";
  miss(r, dio, STEP.callEndIo, R.endIoCalled, code, what, dio.complete);
}
