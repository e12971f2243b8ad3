/**
 * Rules about the block device's own direct I/O, `struct blkdev_dio`.
 *
 * It has no `dio_complete` and no `i_dio_count`: a request is completed by its
 * report, or by the return to a submitter that waits.
 *
 * @module
 */

import {
  errnoName,
  REQ_FUA,
  REQ_NOWAIT,
  SECTOR_SHIFT,
  type TraceEvent,
} from "../../core/mod.ts";
import type { DioState, IocbState } from "../request_state.ts";
import type { Rule } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** What a rule keeps of a request's errors. */
interface Errors {
  /** What its bios ended with. */
  readonly bios: Set<number>;
  /** The page for which a bio was ended without being submitted. */
  pin?: TraceEvent;
}

/** Rules for requests of block devices, and for what a device has lost. */
export const BLKDEV_RULES: readonly Rule[] = [
  oopsRule({
    id: "one-completion/waiter",
    sentence: "Who waits for a request of a block device is woken once",
    why: "a NULL pointer is followed in an interrupt",
    source: "block/fops.c: blkdev_bio_end_io()",
    bugs: ["DIO-148"],
    when: ["blkdev_bio_end_io"],
  }),
  {
    id: "completion-after-last-bio/block-device",
    sentence:
      "A request of a block device is reported after the last of its bios has ended",
    why:
      "the application reuses its buffer while the device still transfers to or from it",
    source: "block/fops.c: blkdev_bio_end_io()",
    bugs: ["DIO-022", "DIO-148"],
    impliedBy: ["no-use-after-release/slab"],
    needs: ["submit_bio", "bio_endio"],
    check: ({ requests, exercised, violated }) => ({
      reported({ dio }, _res, event) {
        if (!dio?.isBlkdev) return;
        exercised();
        const { outstanding } = dio;
        if (outstanding === 0) return;
        violated(`the end of ${outstanding} more bios first`, dio.alloc, event);
      },
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev || !dio.iocb?.completed) return;
        violated("aio_complete after it", dio.iocb.completed, event);
      },
    }),
  },
  {
    id: "released-once/first-bio",
    sentence:
      "The first bio of a request, and the request in front of it, is freed after the last bio has ended and the result was reported",
    why: "the end of another bio works on freed memory",
    source: "block/fops.c: blkdev_bio_end_io()",
    bugs: ["DIO-002", "DIO-157"],
    impliedBy: ["no-use-after-release/slab"],
    needs: ["submit_bio", "bio_endio"],
    check: ({ requests, exercised, violated }) => ({
      dio_free(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev) return;
        exercised();
        const { outstanding, iocb, bios } = dio;
        if (outstanding > 0) {
          violated(
            `the end of ${outstanding} more bios first`,
            dio.alloc,
            event,
          );
        }
        if (bios > 0 && iocb?.isSync === false && !iocb.completed) {
          violated("aio_complete before it", dio.alloc, event);
        }
        const { returned } = iocb ?? {};
        if (iocb?.isSync && returned?.tid === event.tid) {
          violated("direct_IO_return after it", dio.alloc, returned, event);
        }
      },
    }),
  },
  {
    id: "mapping-and-bios/sectors-of-512",
    sentence: "A bio of a block device begins at its position divided by 512",
    why:
      "on a device with blocks of 4096 bytes data is written to an eighth of where it belongs",
    source: "block/fops.c: __blkdev_direct_IO()",
    bugs: ["DIO-003"],
    needs: ["submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev) return;
        exercised();
        const pos = Number(dio.alloc["offset"]) + dio.submitted;
        const expected = pos / 2 ** SECTOR_SHIFT;
        if (event["sector"] === expected) return;
        violated(
          `sector ${expected}, it is ${event["sector"]}`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "result-precedence/block-device",
    sentence:
      "A request of a block device comes to the error of a page if a system call waits, else to an error of a bio, else to the bytes of its bios",
    why:
      "the application gets the wrong errno, or a count that depends on the order of ends",
    source: "block/fops.c: __blkdev_direct_IO()",
    bugs: ["DIO-005", "DIO-055"],
    impliedBy: ["error-reported/every-bio", "partial-progress/whole-buffer"],
    needs: ["submit_bio", "bio_endio", "dio_page_error"],
    check: ({ requests, exercised, violated }) => {
      const errors = new ErrorTable();
      return {
        dio_page_error(event) {
          const dio = requests.dioOf(event);
          if (dio?.isBlkdev && event.bio) errors.of(dio).pin = event;
        },
        bio_endio(event) {
          const dio = requests.dioOf(event);
          const error = Number(event["error"]);
          if (dio?.isBlkdev && error < 0) errors.of(dio).bios.add(error);
        },
        reported({ dio, isSync, writeSync }, res, event) {
          if (!dio?.isBlkdev || Number(writeSync?.["ret"] ?? 0) < 0) return;
          const { bios, pin } = errors.of(dio);
          if (dio.bios === 0 && pin === undefined) return;
          exercised();
          const expected = pin !== undefined && isSync
            ? [Number(pin["error"])]
            : bios.size > 0
            ? [...bios]
            : [dio.submitted];
          if (expected.includes(res)) return;
          const wanted = expected.map(errnoName).join(" or ");
          violated(`${wanted}, it is ${errnoName(res)}`, dio.alloc, pin, event);
        },
        reset() {
          errors.reset();
        },
      };
    },
  },
  {
    id: "partial-progress/whole-buffer",
    sentence:
      "A request of a block device that meets no error transfers and reports all of its buffer, however many pieces that has",
    why:
      "the rest goes through the page cache, and mixes with what went past it",
    source:
      "block/bio.c: bio_iov_iter_get_pages(); block/fops.c: __blkdev_direct_IO()",
    bugs: ["DIO-007", "DIO-053"],
    impliedBy: [
      "no-use-after-release/slab",
      "position-once/as-reported",
      "result-precedence/block-device",
    ],
    needs: ["submit_bio", "dio_page_error"],
    check: ({ exercised, violated }) => ({
      reported({ dio }, res, event) {
        if (!dio?.isBlkdev || dio.bios === 0 || res < 0) return;
        if (dio.pageError !== undefined) return;
        exercised();
        const bytes = Number(dio.alloc["bytes"]);
        if (dio.submitted === bytes && res === bytes) return;
        violated(
          `${bytes} bytes in bios and in the result, not ${dio.submitted} and ${res}`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "position-once/as-reported",
    sentence:
      "The position of a request of a block device moves once, by the bytes that are reported, and not at all on failure",
    why: "the next read or write skips data, or repeats it",
    source: "block/fops.c: blkdev_bio_end_io(), blkdev_read_iter()",
    bugs: ["DIO-004", "DIO-052"],
    needs: ["ki_pos"],
    check: ({ requests, exercised, violated }) => {
      let moves: WeakMap<IocbState, TraceEvent[]> = new WeakMap();
      return {
        ki_pos(event) {
          const iocb = requests.iocbOf(event);
          if (iocb === undefined) return;
          const before = moves.get(iocb);
          if (before) before.push(event);
          else moves.set(iocb, [event]);
        },
        reported(iocb, res, event) {
          const { dio, offset, writeSync } = iocb;
          if (!dio?.isBlkdev || Number(writeSync?.["ret"] ?? 0) < 0) return;
          exercised();
          const made = moves.get(iocb) ?? [];
          const end = offset + Math.max(res, 0);
          const last = Number(made.at(-1)?.["pos"] ?? offset);
          // What a short transfer leaves to the page cache moves it again.
          const isOnce = made.length === Number(res > 0) || dio.submitted < res;
          if (last === end && isOnce) return;
          violated(
            res > 0
              ? `one move to ${end}, not ${made.length} to ${last}`
              : `no move, not one to ${last}`,
            ...made,
            event,
          );
        },
        reset() {
          moves = new WeakMap();
        },
      };
    },
  },
  {
    id: "poll-single-bio/one-bio",
    sentence: "Only a request of one bio is polled for",
    why:
      "the poller looks for one bio, and waits for ever for those that end unseen",
    source: "fs/block_dev.c: __blkdev_direct_IO()",
    bugs: ["DIO-008"],
    impliedBy: ["liveness/blocked-for-ever"],
    needs: ["submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      blk_poll(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev) return;
        exercised();
        if (dio.bios > 1) {
          violated(`one bio, not ${dio.bios}`, dio.alloc, event);
        }
      },
    }),
  },
  {
    id: "nowait-all-or-nothing/one-bio",
    sentence:
      "A NOWAIT request of a block device has one bio, which does not wait either",
    why:
      "one bio is on its way when another one is refused, and the application repeats both",
    source: "block/fops.c: __blkdev_direct_IO()",
    bugs: ["DIO-055", "DIO-056"],
    needs: ["submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev || dio.alloc["nowait"] !== 1) return;
        exercised();
        if (dio.bios > 0) violated("-EAGAIN, and no bio", dio.alloc, event);
        if ((Number(event["opf"]) & REQ_NOWAIT) === 0) {
          violated("a bio with REQ_NOWAIT", dio.alloc, event);
        }
      },
    }),
  },
  {
    id: "dsync-durable/fua",
    sentence: "Each bio of an O_DSYNC write to a block device has REQ_FUA",
    why:
      "the end of the bio is reported in an interrupt, where nobody can flush",
    source: "block/fops.c: dio_bio_write_op()",
    bugs: ["DIO-017"],
    needs: ["submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isBlkdev || !dio.iocb?.needsSync) return;
        exercised();
        if ((Number(event["opf"]) & REQ_FUA) === 0) {
          violated("a bio with REQ_FUA", dio.alloc, event);
        }
      },
    }),
  },
  {
    id: "dsync-durable/power-cut",
    sentence: "What an O_DSYNC write has reported is there after a power cut",
    why: "what the application takes for stable is lost with the power",
    source: "block/fops.c: dio_bio_write_op(); fs/sync.c: vfs_fsync_range()",
    bugs: ["DIO-017", "DIO-067", "DIO-092"],
    check: ({ exercised, violated }) => {
      let cut: TraceEvent | undefined;
      return {
        power_cut(event) {
          cut = event;
        },
        user_read(event) {
          if (cut === undefined) return;
          exercised();
          if (Number(event["wrong"]) === 0) return;
          violated(
            `byte ${event["at"]} of inode ${event.ino} to be ${
              event["expected"]
            }, it is ${event["got"]}`,
            cut,
            event,
          );
        },
        reset() {
          cut = undefined;
        },
      };
    },
  },
];

/** The errors of requests, as long as somebody holds their states. */
class ErrorTable {
  #errors: WeakMap<DioState, Errors> = new WeakMap();

  /** The errors of a request. */
  of(dio: DioState): Errors {
    const known = this.#errors.get(dio);
    if (known !== undefined) return known;
    const errors: Errors = { bios: new Set() };
    this.#errors.set(dio, errors);
    return errors;
  }

  /** Forgets all. */
  reset(): void {
    this.#errors = new WeakMap();
  }
}
