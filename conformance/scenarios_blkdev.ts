/**
 * The suite's scenarios of block devices: files that are a device, whose
 * direct I/O has paths of its own.
 *
 * A request gets a second bio from 257 pages on. In most scenarios a bio
 * takes one page only, so that small requests have two.
 *
 * @module
 */

import { IOCB_HIPRI, IOCB_NOWAIT } from "../core/mod.ts";
import type { FileLayout } from "../fs_models/mod.ts";
import type { Op, Scenario, Transfer } from "./scenario.ts";

const BLOCK = 4096;
const SECTOR = 512;
/** One page in a bio. */
const SMALL_BIOS = { bioMaxPages: 1 };
/** Each page is a piece of its own. */
const PAGES = { bytes: BLOCK, stride: BLOCK };
/** A sector of every two: no two of them become one piece of a bio. */
const SECTORS = { bytes: SECTOR, stride: 2 * SECTOR };
/** Bytes of so many such pieces that one bio is full. */
const FULL_BIO = 256 * SECTOR;

/** A device of so many bytes. */
function device(size: number): FileLayout {
  return { size, extents: [{ offset: 0, bytes: size, state: "written" }] };
}

/** A transfer at the start of the device that needs two small bios. */
function inTwoBios(op: Transfer["op"], flags: number = 0): Transfer {
  return { op, offset: 0, bytes: 2 * BLOCK, flags };
}

const GETEVENTS: Op = { op: "getevents", min: 1 };
const IN_THREE_BIOS: Transfer = {
  op: "aio_write",
  offset: 0,
  bytes: 3 * BLOCK,
};

/** A transfer whose event is taken, three times. */
function threeTimes(transfer: Transfer): Op[] {
  return Array<Op[]>(3).fill([transfer, GETEVENTS]).flat();
}

type BlkdevScenario = Omit<Scenario, "needs" | "file" | "tasks"> & {
  /** How large the device is. */
  readonly size?: number;
  /** What the only task does. */
  readonly ops: readonly Op[];
};

const TEMPLATES: readonly BlkdevScenario[] = [
  {
    id: "blkdev-aio-write-many",
    title: "An asynchronous write of two bios, of which any may fail",
    rules: [
      "completion-after-last-bio/block-device",
      "released-once/first-bio",
      "error-reported/every-bio",
      "position-once/as-reported",
    ],
    faults: [{ nth: 1, open: true }, { nth: 2, open: true }],
    ...SMALL_BIOS,
    ops: [inTwoBios("aio_write"), GETEVENTS],
  },
  {
    id: "blkdev-aio-read-many",
    title: "An asynchronous read of two bios",
    rules: [
      "pages-dirtied/before-submission",
      "pages-dirtied/each-bio",
      "released-once/first-bio",
    ],
    ...SMALL_BIOS,
    ops: [inTwoBios("write"), inTwoBios("aio_read"), GETEVENTS],
  },
  {
    id: "blkdev-aio-write-inline",
    title: "An asynchronous write of one bio that ends inside its submission",
    rules: ["one-completion/never-both", "no-use-after-release/dio"],
    completion: "inline",
    ops: [{ op: "aio_write", offset: 0, bytes: BLOCK }, GETEVENTS],
  },
  {
    id: "blkdev-write-many-inline",
    title:
      "Asynchronous writes of three bios, of which any may fail inside its submission",
    rules: ["error-reported/every-bio", "released-once/first-bio"],
    completion: "inline",
    faults: [{ open: true }],
    ...SMALL_BIOS,
    ops: threeTimes(IN_THREE_BIOS),
  },
  {
    id: "blkdev-sync-many",
    title: "A write and a read of two bios that their system calls wait for",
    rules: [
      "position-once/as-reported",
      "partial-progress/whole-buffer",
      "completion-order/reader-sees-data",
    ],
    ...SMALL_BIOS,
    ops: [inTwoBios("write"), inTwoBios("read")],
  },
  {
    id: "blkdev-sync-error",
    title: "A write of two bios, of which any may fail, that is waited for",
    rules: ["error-reported/every-bio", "result-precedence/block-device"],
    faults: [{ nth: 1, open: true }, { nth: 2, open: true }],
    ...SMALL_BIOS,
    ops: [inTwoBios("write")],
  },
  {
    id: "blkdev-4096",
    title: "An asynchronous write to a device with blocks of 4096 bytes",
    rules: ["mapping-and-bios/sectors-of-512"],
    device: { logicalBlockSize: 4096 },
    size: 16 * BLOCK,
    ops: [{ op: "aio_write", offset: 8 * BLOCK, bytes: BLOCK }, GETEVENTS],
  },
  {
    id: "blkdev-vector",
    title: "A write from three pieces of memory that is waited for",
    rules: ["partial-progress/whole-buffer"],
    ops: [{ op: "write", offset: 0, bytes: 3 * BLOCK, pieces: PAGES }],
  },
  {
    id: "blkdev-vector-fault",
    title: "A write from five pages, of which the first cannot be pinned",
    rules: ["released-once/no-leak"],
    ops: [{ op: "write", offset: 0, bytes: 5 * BLOCK, unmapped: [0] }],
  },
  {
    id: "blkdev-fault",
    title:
      "An asynchronous write whose second bio finds no page that can be pinned",
    rules: [
      "error-reported/every-bio",
      "result-precedence/block-device",
      "released-once/page-pin",
    ],
    ...SMALL_BIOS,
    ops: [
      { ...inTwoBios("aio_write"), unmapped: [1] },
      GETEVENTS,
    ],
  },
  {
    id: "blkdev-fault-hardirq",
    title:
      "Asynchronous writes whose third bio finds no page, while two are in flight, in hard interrupts",
    rules: ["result-precedence/block-device", "released-once/page-pin"],
    completion: "hardirq",
    ...SMALL_BIOS,
    ops: threeTimes({ ...IN_THREE_BIOS, unmapped: [2] }),
  },
  {
    id: "blkdev-256",
    title:
      "Writes of 256 pages and of 257, the most that one bio takes and more",
    rules: [
      "partial-progress/whole-buffer",
      "completion-after-last-bio/block-device",
    ],
    ops: [
      { op: "write", offset: 0, bytes: FULL_BIO, pieces: SECTORS },
      {
        op: "aio_write",
        offset: SECTOR,
        bytes: FULL_BIO + SECTOR,
        pieces: SECTORS,
      },
      GETEVENTS,
      { op: "read", offset: 0, bytes: FULL_BIO + BLOCK },
    ],
  },
  {
    id: "blkdev-end",
    title: "Reads and writes at the end of the device, and across it",
    rules: ["position-once/as-reported", "partial-progress/whole-buffer"],
    size: 2 * BLOCK,
    ops: [
      { op: "write", offset: BLOCK, bytes: 2 * BLOCK },
      { op: "read", offset: BLOCK, bytes: 2 * BLOCK },
      { op: "write", offset: 2 * BLOCK, bytes: BLOCK },
      { op: "read", offset: 2 * BLOCK, bytes: BLOCK },
    ],
  },
  {
    id: "blkdev-poll",
    title: "A read of one bio that its system call polls for",
    rules: ["poll-single-bio/one-bio"],
    profiles: ["v4.10"],
    completion: "polled",
    ops: [{ op: "read", offset: 0, bytes: BLOCK, flags: IOCB_HIPRI }],
  },
  {
    id: "blkdev-poll-many",
    title: "A read of two bios that its system call must not poll for",
    rules: ["liveness/blocked-for-ever"],
    profiles: ["v4.10", "v6.1"],
    completion: "polled",
    ...SMALL_BIOS,
    ops: [inTwoBios("read", IOCB_HIPRI)],
  },
  {
    id: "blkdev-poll-aio",
    title: "Asynchronous reads of one bio and of two, polled for in the end",
    rules: ["poll-single-bio/one-bio"],
    profiles: ["v6.1"],
    completion: "polled",
    ...SMALL_BIOS,
    ops: [
      { op: "aio_read", offset: 0, bytes: BLOCK, flags: IOCB_HIPRI },
      inTwoBios("aio_read", IOCB_HIPRI),
      { op: "getevents", min: 2 },
    ],
  },
  {
    id: "blkdev-nowait-many",
    title: "An asynchronous NOWAIT write that needs two bios: it gets none",
    rules: ["released-once/no-leak", "released-once/page-pin"],
    profiles: ["v6.1"],
    ...SMALL_BIOS,
    ops: [
      { op: "write", offset: 0, bytes: BLOCK },
      inTwoBios("aio_write", IOCB_NOWAIT),
      GETEVENTS,
    ],
  },
  {
    id: "blkdev-nowait-full",
    title: "NOWAIT writes to a device that has room for one",
    rules: [
      "nowait-all-or-nothing/one-bio",
      "result-precedence/block-device",
    ],
    profiles: ["v6.1"],
    device: { queueDepth: 1 },
    ops: [
      { op: "aio_write", offset: 0, bytes: BLOCK },
      { op: "aio_write", offset: BLOCK, bytes: BLOCK, flags: IOCB_NOWAIT },
      { op: "getevents", min: 2 },
    ],
  },
  {
    id: "blkdev-poll-full",
    title: "A read that is polled for, on a device that has no room for it",
    rules: ["no-use-after-release/slab", "one-completion/once"],
    profiles: ["v6.1"],
    completion: "polled",
    device: { queueDepth: 1 },
    ops: [
      { op: "aio_write", offset: 0, bytes: BLOCK },
      { op: "aio_read", offset: BLOCK, bytes: BLOCK, flags: IOCB_HIPRI },
      { op: "getevents", min: 2 },
    ],
  },
  {
    id: "blkdev-dsync",
    title: "An asynchronous O_DSYNC write of two bios, and then a power cut",
    rules: ["dsync-durable/fua", "dsync-durable/power-cut"],
    dsync: true,
    device: { volatileCache: true },
    ...SMALL_BIOS,
    ops: [
      inTwoBios("aio_write"),
      GETEVENTS,
      { op: "power_cut" },
      inTwoBios("read"),
    ],
  },
];

/** Scenarios that need a block device, the simple ones first. */
export const BLKDEV_SCENARIOS: readonly Scenario[] = TEMPLATES.map(
  ({ size = 64 * BLOCK, ops, profiles = ["v4.10", "v6.1"], ...rest }) => ({
    ...rest,
    profiles,
    needs: ["block-device"],
    file: device(size),
    tasks: [{ comm: "user", ops }],
  }),
);
