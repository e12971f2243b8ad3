/**
 * Rules about direct I/O and the page cache.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** `cache-coherent`. */
export const CACHE_RULES: readonly Rule[] = [
  {
    id: "cache-coherent/reader-sees-data",
    sentence:
      "What a reported write has written, a reader gets from the page cache too",
    why: "an application reads from the cache what has been overwritten",
    source: "mm/filemap.c: generic_file_direct_write()",
    bugs: ["DIO-023", "DIO-047", "DIO-106", "DIO-130"],
    needs: ["buffered_io"],
    check: ({ threads, exercised, violated }) => ({
      user_read(event) {
        if (!threads.current.readOf(event)?.isBuffered) return;
        exercised();
        if (Number(event["wrong"]) === 0) return;
        violated(
          `byte ${event["at"]} of inode ${event.ino} to be ${
            event["expected"]
          }, it is ${event["got"]}`,
          event,
        );
      },
    }),
  },
  {
    id: "cache-coherent/invalidated-after-end-io",
    sentence:
      "A completion drops cached pages after end_io, and before i_dio_count drops",
    why:
      "a reader caches zeros of blocks that are not converted yet, and keeps them",
    source: "fs/direct-io.c: dio_complete(), since 4.14",
    bugs: ["DIO-034"],
    profiles: ["v6.1"],
    check: ({ threads, exercised, violated }) => ({
      invalidate_inode_pages2_range(event) {
        const dio = threads.current.completing;
        if (dio === undefined) return;
        exercised();
        const isEarly = dio.alloc["end_io"] !== "" && !dio.endIoReturn;
        if (isEarly) violated("end_io_return before it", dio.complete, event);
        if (dio.done) violated("inode_dio_done after it", dio.done, event);
      },
    }),
  },
];

/** What a rule keeps of an open file. */
interface Opened {
  /** Its requests that have not come to their end. */
  readonly requests: Map<number, TraceEvent>;
}

/** `pinned-until-done`. */
export const PINNED_RULES: readonly Rule[] = [
  {
    id: "pinned-until-done/file",
    sentence: "An open file is released after its last request has ended",
    why: "the end of the request works on a file and an inode that are gone",
    source:
      "fs/aio.c: io_submit_one(), aio_complete(); fs/file_table.c: __fput()",
    bugs: ["DIO-137"],
    impliedBy: ["no-use-after-release/slab", "one-completion/never-neither"],
    needs: ["io_submit", "__fput"],
    check: ({ exercised, violated }) => {
      const files: Map<number, Opened> = new Map();
      const owners: Map<number, number> = new Map();
      return {
        io_submit(event) {
          const file = Number(event["file"] ?? NaN);
          if (Number.isNaN(file)) return;
          const opened = files.get(file) ?? { requests: new Map() };
          files.set(file, opened);
          opened.requests.set(Number(event.iocb), event);
          owners.set(Number(event.iocb), file);
        },
        aio_complete(event) {
          const iocb = Number(event.iocb);
          const file = owners.get(iocb);
          if (file === undefined) return;
          owners.delete(iocb);
          files.get(file)?.requests.delete(iocb);
        },
        __fput(event) {
          const file = Number(event["file"]);
          const opened = files.get(file);
          files.delete(file);
          if (opened === undefined) return;
          exercised();
          for (const submit of opened.requests.values()) {
            violated("aio_complete before it", submit, event);
          }
        },
        reset() {
          files.clear();
          owners.clear();
        },
      };
    },
  },
  oopsRule({
    id: "pinned-until-done/freeze-protection",
    sentence:
      "A write gives its protection against a freeze back once, when it has ended",
    why: "a snapshot is taken of a filesystem that is being written to",
    source: "fs/aio.c: aio_complete(), kiocb_end_write()",
    bugs: [],
    when: ["aio_complete"],
  }),
  oopsRule({
    id: "pinned-until-done/mount",
    sentence: "A filesystem is taken apart when no file of it is open any more",
    why: "the end of a request works on a filesystem that is gone",
    source: "fs/super.c: generic_shutdown_super()",
    bugs: ["DIO-137"],
    when: ["put_super"],
  }),
];
