/**
 * A whole stream as one text.
 *
 * @module
 */

/** Reads a stream of text or UTF-8 bytes to its end. */
export async function toText(
  stream: ReadableStream<string> | ReadableStream<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream as ReadableStream<string | Uint8Array>) {
    text += typeof chunk === "string"
      ? chunk
      : decoder.decode(chunk as Uint8Array<ArrayBuffer>, { stream: true });
  }
  return text + decoder.decode();
}
