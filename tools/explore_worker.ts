/**
 * A worker of `explore.ts --jobs`: does tasks one after the other.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import type { ExploreQuery } from "../conformance/mod.ts";
import { type ModelName, modelOf } from "./explore_plan.ts";
import {
  doTask,
  type Outcome,
  type Progress,
  type Task,
} from "./explore_task.ts";

/** What a worker is asked. */
export interface Request {
  /** The model. */
  readonly model: ModelName;
  /** What is asked for. */
  readonly query: ExploreQuery;
  /** The task. */
  readonly task: Task;
  /** Whether it tells from where it could be gone on with. */
  readonly isSaved: boolean;
}

/** What a worker says. */
export type Reply =
  | { readonly progress: Progress }
  | { readonly outcome: Outcome }
  | { readonly failure: Failure };

/** What a task threw; an error itself would lose its class on the way. */
export interface Failure {
  /** The error's class. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Where it was thrown. */
  readonly stack: string;
}

self.onmessage = async ({ data }: MessageEvent<Request>): Promise<void> => {
  const { model, query, task, isSaved } = data;
  try {
    const spec = await modelOf(model);
    const outcome = await doTask(spec, query, task, isSaved, (progress) => {
      reply({ progress });
    });
    reply({ outcome });
  } catch (error) {
    const { name, message, stack = message } = error as Error;
    reply({ failure: { name, message, stack } });
  }
};

function reply(reply: Reply): void {
  self.postMessage(reply);
}
