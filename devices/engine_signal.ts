/**
 * Waits for completions without blocking the event loop: an eventfd that the
 * kernel counts them in, and that a thread of Deno's pool reads.
 *
 * @module
 */

import { DeviceError } from "./device_error.ts";
import { describeErrno } from "./errno_text.ts";
import type { Libc } from "./libc.ts";

const EFD_CLOEXEC = 0o2000000;
const COUNTER_BYTES = 8;

/** An eventfd, and at most one read of it. */
export class CompletionSignal {
  /** The descriptor. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #counter: Uint8Array<ArrayBuffer> = new Uint8Array(
    new ArrayBuffer(COUNTER_BYTES),
  );
  readonly #one: Uint8Array<ArrayBuffer> = new Uint8Array(
    new BigUint64Array([1n]).buffer,
  );
  #reading: Promise<unknown> | null = null;
  #isClosed = false;

  /**
   * Makes the eventfd.
   *
   * @param libc The library to call.
   * @throws {DeviceError} If the system has no descriptor left.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.fd = libc.eventfd(EFD_CLOEXEC);
    if (this.fd >= 0) return;
    throw new DeviceError(
      `Cannot wait for requests: ${describeErrno(this.fd).text}`,
      -this.fd,
    );
  }

  /** Waits until something was counted since the last wait. */
  async wait(): Promise<void> {
    this.#reading = this.#libc.readAside(this.fd, this.#counter);
    await this.#reading;
    this.#reading = null;
  }

  /** Ends a wait, if there is one. */
  wake(): void {
    if (this.#isClosed) return;
    this.#libc.write(this.fd, this.#one);
  }

  /**
   * Closes the eventfd; while it is being read, a moment later, because the
   * thread of the pool might only now be about to read that descriptor.
   *
   * @param done Called when the library is not needed any more.
   */
  close(done: () => void): void {
    const finish = () => {
      this.#isClosed = true;
      this.#libc.closeFd(this.fd);
      done();
    };
    if (this.#reading === null) return finish();
    this.wake();
    this.#reading.then(finish);
  }
}
