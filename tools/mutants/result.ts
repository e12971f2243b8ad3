/**
 * The completion side of the core with one mistake each, in what a request
 * comes to.
 *
 * @module
 */

import {
  type Bio,
  type Dio,
  DirectIo,
  READ,
  type Task,
  use,
} from "../../core/mod.ts";
import type { Mutant } from "./mutant.ts";

/** A page that could not be pinned is no error. */
class DropsPageError extends DirectIo {
  override dioResult(dio: Dio): void {
    const { pageErrors } = dio;
    dio.pageErrors = 0;
    super.dioResult(dio);
    dio.pageErrors = pageErrors;
  }
}

/** An error of a bio comes before that of the submission and of a page. */
class BioErrorFirst extends DirectIo {
  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    if (dio.ioError !== 0) dio.value = dio.ioError;
  }
}

/** A read is not cut to the size of the file. */
class DoesNotCut extends DirectIo {
  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    if (dio.rw !== READ || dio.value < 0) return;
    dio.transferred = dio.result;
    dio.value = dio.result;
  }
}

/** What was asked for is reported, not what was done. */
class ReportsWhatWasAsked extends DirectIo {
  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    const { begin, end } = dio.sdio;
    if (dio.value >= 0) dio.value = end - begin;
  }
}

/** A bio drops its reference before it notes its error. */
class NotesLate extends DirectIo {
  override *dioBioEndAio(bio: Bio): Task<void> {
    const dio = use(bio.biPrivate as Dio);
    const { biError } = bio;
    bio.biError = 0;
    yield* super.dioBioEndAio(bio);
    bio.biError = biError;
    if (biError !== 0 && dio.live) yield* this.dioNoteError(dio, bio);
  }
}

/** The pages of an asynchronous read are not looked at when it has ended. */
class ForgetsCheck extends DirectIo {
  override dioBioRelease(dio: Dio, bio: Bio): Task<void> | null {
    dio.shouldDirty &&= !dio.isAsync;
    return super.dioBioRelease(dio, bio);
  }
}

/** The pages of a read that is waited for are not marked as dirty. */
class ForgetsMark extends DirectIo {
  override dioBioRelease(dio: Dio, bio: Bio): Task<void> | null {
    dio.shouldDirty &&= dio.isAsync;
    return super.dioBioRelease(dio, bio);
  }
}

/** Mutants of the result. */
export const RESULT_MUTANTS: readonly Mutant[] = [
  {
    id: "page-error-dropped",
    mistake: "a page that could not be pinned is no error",
    rule: "result-precedence/submit-page-bio-count",
    bugs: ["DIO-043"],
    directIo: (kernel) => new DropsPageError(kernel),
  },
  {
    id: "bio-error-first",
    mistake: "an error of a bio comes before one of a page",
    rule: "result-precedence/submit-page-bio-count",
    bugs: ["DIO-005"],
    directIo: (kernel) => new BioErrorFirst(kernel),
  },
  {
    id: "read-not-cut",
    mistake: "a read is not cut to the size of the file",
    rule: "read-within-size/cut",
    bugs: ["DIO-025"],
    directIo: (kernel) => new DoesNotCut(kernel),
  },
  {
    id: "asked-not-done",
    mistake: "the bytes that were asked for are reported, not those done",
    rule: "partial-progress/no-more-than-done",
    bugs: ["DIO-128"],
    directIo: (kernel) => new ReportsWhatWasAsked(kernel),
  },
  {
    id: "read-not-checked",
    mistake:
      "the pages of an asynchronous read that were cleaned meanwhile stay clean",
    rule: "pages-dirtied/kept",
    bugs: ["DIO-044"],
    directIo: (kernel) => new ForgetsCheck(kernel),
  },
  {
    id: "read-not-marked",
    mistake: "the pages of a read that is waited for are not marked as dirty",
    rule: "pages-dirtied/at-the-end",
    bugs: ["DIO-044"],
    directIo: (kernel) => new ForgetsMark(kernel),
  },
  {
    id: "error-noted-late",
    mistake: "a bio notes its error after it has dropped its reference",
    rule: "error-reported/noted",
    bugs: ["DIO-157"],
    directIo: (kernel) => new NotesLate(kernel),
  },
];
