/**
 * What a request has to come to, told from the events that came before: from
 * how it was mapped, what was submitted, and how the bios ended. Nothing here
 * looks at what the completion itself says.
 *
 * @module
 */

import { EFAULT, EIO, type Profile } from "../../core/mod.ts";
import type { DioState, IocbState } from "../request_state.ts";

/** After so many bios, a submitter looks for those that have ended. */
const REAP_INTERVAL = 64;

/**
 * What a submitter that has waited has to return.
 *
 * @param profile Whose semantics are in force.
 * @param iocb The request.
 * @param dio Its dio.
 * @returns Bytes or a negative errno; NaN when the trace does not tell.
 */
export function submissionResult(
  profile: Profile,
  iocb: IocbState,
  dio: DioState,
): number {
  const count = countOf(iocb, dio);
  const { submitErrno, pageError, bioError, endIoReturn } = dio;
  const replaced = profile.endIoAlways ? Number(endIoReturn?.["ret"] ?? 0) : 0;
  if (replaced !== 0) return replaced;
  const isForgiven = submitErrno === -EFAULT && count !== 0 &&
    profile.faultedReadCounts;
  if (submitErrno < 0 && !isForgiven) return submitErrno;
  if (pageError) return Number(pageError["error"]);
  if (bioError === undefined) return count;
  // A submitter that looked for bios that have ended has stopped with their
  // error; whether it found any, the trace does not tell.
  const mayHaveReaped = !profile.reapsAsEio && dio.bios >= REAP_INTERVAL;
  if (mayHaveReaped && bioError["error"] !== -EIO) return NaN;
  return profile.nowaitAgain ? dio.ioErrno : -EIO;
}

/**
 * What the callback of a request that was queued has to report.
 *
 * @param profile Whose semantics are in force.
 * @param iocb The request.
 * @param dio Its dio.
 * @returns Bytes or a negative errno; NaN when the trace does not tell.
 */
export function reportedResult(
  profile: Profile,
  iocb: IocbState,
  dio: DioState,
): number {
  const result = submissionResult(profile, iocb, dio);
  if (dio.writeSync === undefined) return result;
  const error = Number(dio.writeSync["ret"]);
  return error < 0 && result > 0 ? error : result;
}

/**
 * The bytes of a request that were submitted, or are a hole that reads as
 * zeros.
 *
 * @param dio The request.
 * @returns How many; Infinity when there are holes whose size is not known.
 */
export function bytesMapped(dio: DioState): number {
  const { isWrite, holes, blockBytes, submitted } = dio;
  if (isWrite || holes === 0) return submitted;
  return blockBytes === 0 ? Infinity : submitted + holes * blockBytes;
}

/**
 * Whether an event can say that a request came to something.
 *
 * @param iocb The request, whose method has returned a result.
 * @param res What the event says.
 * @returns True when that is what the method returned, with what then went
 * through the page cache, or an error that came after it.
 */
export function isPassedOn(iocb: IocbState, res: number): boolean {
  const { returned, writeSync, bufferedIo, buffered } = iocb;
  const ret = Number(returned?.["ret"]);
  const syncError = Math.min(0, Number(writeSync?.["ret"] ?? 0));
  if (syncError < 0 && ret + buffered > 0) return res === syncError;
  if (bufferedIo === undefined) return res === ret;
  // What cannot be written back behind the first part does not count; and
  // without a first part its error does.
  const rest = Number(bufferedIo["ret"]);
  return res === ret + buffered || (ret > 0 ? res === ret : res === rest) ||
    (ret === 0 && res < 0);
}

/** The bytes that a request without an error reports. */
function countOf({ bytes }: IocbState, dio: DioState): number {
  if (dio.isWrite) {
    // Around parts of new blocks there are zeros, which do not count.
    if (dio.submitted >= bytes) return bytes;
    return dio.mayPad ? NaN : dio.submitted;
  }
  // A truncate that comes in between ends a read early, or does not.
  if (dio.hasLostItsEnd) return NaN;
  const { room } = dio;
  if (dio.submitError === undefined) return Math.min(bytes, room);
  return dio.holes > 0 ? NaN : Math.min(dio.submitted, room);
}
