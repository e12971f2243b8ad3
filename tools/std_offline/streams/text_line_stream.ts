/**
 * Text cut into lines.
 *
 * @module
 */

/** Options of {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /**
   * Whether a carriage return alone ends a line too.
   *
   * @default {false}
   */
  allowCR?: boolean;
}

/**
 * Cuts chunks of text into lines at `\n` and `\r\n`, wherever the chunks
 * themselves were cut. A last line without an end is given too.
 */
export class TextLineStream extends TransformStream<string, string> {
  /** Makes a stream of lines. */
  constructor(options: TextLineStreamOptions = {}) {
    const allowCR = options.allowCR ?? false;
    // A carriage return at the very end may be half of a `\r\n`: it waits.
    const end = allowCR ? /\r\n|\n|\r(?!$)/ : /\r?\n/;
    let pending: string[] = [];
    super({
      transform(chunk, controller) {
        if (chunk === "") return;
        // Joined only when a line may end: long lines stay linear in cost.
        const before = pending.at(-1);
        pending.push(chunk);
        const mayEnd = chunk.includes("\n") || allowCR &&
            (chunk.includes("\r") || before?.endsWith("\r"));
        if (!mayEnd) return;
        const lines = pending.join("").split(end);
        pending = [lines.pop()!];
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        let last = pending.join("");
        if (last === "") return;
        if (allowCR && last.endsWith("\r")) last = last.slice(0, -1);
        controller.enqueue(last);
      },
    });
  }
}
