/**
 * Rules about the completion ring.
 *
 * @module
 */

import { errnoName } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";

/** `completion-ring`. */
export const RING_RULES: readonly Rule[] = [
  {
    id: "completion-ring/event-once",
    sentence: "An event comes off the ring once, after it was put there",
    why: "an event is lost, or user space gets one that is not there yet",
    source: "fs/aio.c: aio_complete(), aio_read_events_ring()",
    bugs: ["DIO-139", "DIO-143"],
    needs: ["aio_complete"],
    check: ({ requests, exercised, violated }) => ({
      io_getevents(event) {
        exercised();
        const iocb = event.iocb ?? 0;
        if (requests.reported.has(iocb) || requests.mayBeReported(iocb)) return;
        violated(
          requests.iocbs.has(iocb)
            ? "aio_complete before it"
            : "an event that is on the ring",
          requests.iocbs.get(iocb)?.begin,
          event,
        );
      },
    }),
  },
  {
    id: "completion-ring/result-kept",
    sentence: "An event says what the request was completed with",
    why: "a slot of the ring was written twice, or read too early",
    source: "fs/aio.c: aio_complete(), aio_read_events_ring()",
    bugs: ["DIO-139"],
    check: ({ requests, exercised, violated }) => ({
      io_getevents(event) {
        const { completed } = requests.reported.get(event.iocb ?? 0) ?? {};
        if (completed === undefined) return;
        exercised();
        if (completed["res"] === event["res"]) return;
        violated(
          `${errnoName(Number(completed["res"]))}, not ${
            errnoName(Number(event["res"]))
          }`,
          completed,
          event,
        );
      },
    }),
  },
];
