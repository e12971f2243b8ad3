/**
 * A file that is drawn: a letter for each of its blocks.
 *
 * | letter | the block |
 * | --- | --- |
 * | `m` | has been written |
 * | `u` | is allocated, but a read finds a hole; a write asks for deferral |
 * | `.` | is a hole, which a write may fill |
 * | `-` | is a hole that the filesystem never fills |
 * | `x` | is a hole for which there is no space |
 * | `!` | cannot be looked up |
 * | `b` | has been written, and what follows needs metadata |
 *
 * Blocks follow each other on the device, from {@linkcode FIRST_SECTOR} on. A
 * `/` leaves a gap there; a `|` ends what one mapping call answers, without a
 * gap.
 *
 * @module
 */

import {
  BH_BOUNDARY,
  BH_NEW,
  type BufferHead,
  setBufferDeferCompletion,
} from "../buffer_head.ts";
import { EIO, ENOSPC } from "../errno.ts";

/** Where the first block lies on the device, in units of 512 bytes. */
export const FIRST_SECTOR = 128;

interface DrawnBlock {
  kind: string;
  /** Where it lies or will lie, in blocks. */
  readonly device: number;
  /** Whether a mapping ends before it. */
  readonly isSplit: boolean;
}

/** Blocks of a file, as they are drawn. */
export class TableFile {
  readonly #blockSize: number;
  readonly #blocks: DrawnBlock[] = [];

  constructor(drawing: string, blockSize: number) {
    this.#blockSize = blockSize;
    let device = FIRST_SECTOR * 512 / blockSize;
    let isSplit = false;
    for (const kind of drawing) {
      if (kind === "/") device++;
      if (kind === "/" || kind === "|") isSplit = true;
      else {
        this.#blocks.push({ kind, device: device++, isSplit });
        isSplit = kind === "b";
      }
    }
  }

  /** A mapping function: `get_block_t`. */
  getBlock(iblock: number, bh: BufferHead, create: boolean): number {
    const block = this.#blocks[iblock];
    if (block === undefined) return create ? -ENOSPC : 0;
    const { kind, device } = block;
    const asked = bh.bSize / this.#blockSize;
    let count = 1;
    while (count < asked && this.#continues(iblock + count, kind)) count++;
    const bytes = count * this.#blockSize;
    switch (kind) {
      case "!":
        return -EIO;
      case "x":
        return create ? -ENOSPC : 0;
      case "-":
        return 0;
      case ".":
        if (!create) return 0;
        for (let i = 0; i < count; i++) this.#at(iblock + i).kind = "m";
        bh.map(device, bytes);
        bh.bState |= BH_NEW;
        return 0;
      case "u":
        if (!create) return 0;
        bh.map(device, bytes);
        bh.bState |= BH_NEW;
        setBufferDeferCompletion(bh);
        return 0;
      default:
        bh.map(device, bytes);
        if (kind === "b") bh.bState |= BH_BOUNDARY;
        return 0;
    }
  }

  /** Where a byte of the file lies or would lie on the device. */
  deviceByte(position: number): number {
    const { device } = this.#at(Math.floor(position / this.#blockSize));
    return device * this.#blockSize + position % this.#blockSize;
  }

  /** Which byte of the file lies at one of the device; -1 for none. */
  fileByte(deviceByte: number): number {
    const device = Math.floor(deviceByte / this.#blockSize);
    const at = this.#blocks.findIndex((block) => block.device === device);
    return at < 0 ? -1 : at * this.#blockSize + deviceByte % this.#blockSize;
  }

  /** Whether a byte of the file can be read from the device. */
  isWritten(position: number): boolean {
    const block = this.#blocks[Math.floor(position / this.#blockSize)];
    return block?.kind === "m" || block?.kind === "b";
  }

  #continues(iblock: number, kind: string): boolean {
    const block = this.#blocks[iblock];
    return block !== undefined && block.kind === kind && !block.isSplit;
  }

  #at(iblock: number): DrawnBlock {
    return this.#blocks[iblock] as DrawnBlock;
  }
}
