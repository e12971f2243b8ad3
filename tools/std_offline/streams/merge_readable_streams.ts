/**
 * Several streams as one.
 *
 * @module
 */

/**
 * Merges streams into one that gives each chunk as it comes. It ends when all
 * of them have ended, and fails as soon as one of them fails.
 */
export function mergeReadableStreams<T>(
  ...streams: ReadableStream<T>[]
): ReadableStream<T> {
  return new ReadableStream<T>({
    start(controller) {
      const state = { failed: false };
      const pumps = streams.map((stream) => pump(stream, controller, state));
      Promise.all(pumps).then(
        () => controller.close(),
        (error) => {
          state.failed = true;
          controller.error(error);
        },
      );
    },
  });
}

async function pump<T>(
  stream: ReadableStream<T>,
  controller: ReadableStreamDefaultController<T>,
  state: { readonly failed: boolean },
): Promise<void> {
  for await (const chunk of stream) {
    if (state.failed) return;
    controller.enqueue(chunk);
  }
}
