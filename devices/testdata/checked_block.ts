/**
 * Blocks that say what they are, so that a reader knows whether he has one
 * whole.
 *
 * @module
 */

/** The size of a block in bytes. */
export const BLOCK = 4096;
const CHECKSUM_AT = BLOCK - 4;

/** Fills a block with data that its number determines, and a checksum. */
export function fillBlock(bytes: Uint8Array, number: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK);
  view.setUint32(0, number);
  let state = number ^ 0x9e3779b9;
  for (let at = 4; at < CHECKSUM_AT; at += 4) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    view.setInt32(at, state);
  }
  view.setUint32(CHECKSUM_AT, checksum(bytes));
}

/** Whether a block is the one with that number, and whole. */
export function isBlock(bytes: Uint8Array, number: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK);
  return view.getUint32(0) === number &&
    view.getUint32(CHECKSUM_AT) === checksum(bytes);
}

/** FNV-1a of all that is before the checksum. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < CHECKSUM_AT; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  return hash >>> 0;
}
