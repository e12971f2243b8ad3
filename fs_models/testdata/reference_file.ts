/**
 * What a file is to its user: bytes, and a size. No blocks, no bios, nothing
 * that happens at the same time.
 *
 * @module
 */

import { EINVAL } from "../../core/mod.ts";

/** The specification of a file that is used by one call after the other. */
export class ReferenceFile {
  /** Its size in bytes. */
  size = 0;
  /** What it holds; zeros behind its end. */
  readonly #bytes: Uint8Array;
  /** What offsets, lengths and addresses of direct transfers are made of. */
  readonly #sector: number;

  constructor(limit: number, sector: number) {
    this.#bytes = new Uint8Array(limit);
    this.#sector = sector;
  }

  /** What it holds now. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  /**
   * A direct write.
   *
   * @param offset First byte.
   * @param data What is written.
   * @param align Bits of all lengths and addresses of the buffer.
   * @returns Bytes, or `-EINVAL`.
   */
  writeDirect(offset: number, data: Uint8Array, align: number): number {
    if (data.length === 0) return 0;
    return this.#isAligned(offset | align) ? this.write(offset, data) : -EINVAL;
  }

  /**
   * A write through the page cache.
   *
   * @param offset First byte.
   * @param data What is written.
   * @returns Bytes.
   */
  write(offset: number, data: Uint8Array): number {
    this.#bytes.set(data, offset);
    const end = offset + data.length;
    if (data.length > 0) this.size = Math.max(this.size, end);
    return data.length;
  }

  /**
   * What a direct read may come to; which of two things is wrong with it is
   * not the same for all.
   *
   * @param offset First byte.
   * @param bytes How many.
   * @param align Bits of all lengths and addresses of the buffer.
   * @returns Bytes, or `-EINVAL`: one or two of them.
   */
  readDirect(offset: number, bytes: number, align: number): number[] {
    const room = this.read(offset, bytes);
    if (bytes === 0 || this.#isAligned(offset | align)) return [room];
    return offset >= this.size ? [-EINVAL, 0] : [-EINVAL];
  }

  /**
   * A read through the page cache.
   *
   * @param offset First byte.
   * @param bytes How many.
   * @returns Bytes.
   */
  read(offset: number, bytes: number): number {
    return Math.max(0, Math.min(bytes, this.size - offset));
  }

  /** Changes its size; what is new is zeros. */
  truncate(size: number): void {
    this.#bytes.fill(0, Math.min(size, this.size), this.size);
    this.size = size;
  }

  /** Makes it longer, if it is not that long. */
  fallocate(offset: number, bytes: number): void {
    this.size = Math.max(this.size, offset + bytes);
  }

  /** Makes zeros of a part of it. */
  punchHole(offset: number, bytes: number): void {
    this.#bytes.fill(0, offset, offset + bytes);
  }

  #isAligned(bits: number): boolean {
    return (bits & (this.#sector - 1)) === 0;
  }
}
