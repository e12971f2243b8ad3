/**
 * Stand-in for `@std/streams`: the streams this repository uses, for machines
 * that cannot reach JSR.
 *
 * @module
 */

export { mergeReadableStreams } from "./merge_readable_streams.ts";
export {
  TextLineStream,
  type TextLineStreamOptions,
} from "./text_line_stream.ts";
export { toText } from "./to_text.ts";
