/**
 * Flags that a filesystem gives with a direct I/O.
 *
 * Source: include/linux/fs.h.
 *
 * @module
 */

/** The core takes `i_mutex` for reads; writes are entered with it held. */
export const DIO_LOCKING: number = 1;
/** Holes inside the file are not filled: the write falls back to buffered. */
export const DIO_SKIP_HOLES: number = 2;
/** An asynchronous write may make the file longer (4.10 only). */
export const DIO_ASYNC_EXTEND: number = 4;
/** `i_dio_count` is left alone (4.10 only): nobody truncates a device. */
export const DIO_SKIP_DIO_COUNT: number = 8;
