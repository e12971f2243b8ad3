/**
 * Who does the tasks of `explore.ts`: the program itself, or workers.
 *
 * @module
 */

import { ReplayError } from "../core/mod.ts";
import { UserError } from "./cli.ts";
import type { ExplorePlan } from "./explore_plan.ts";
import {
  doTask,
  type Outcome,
  type Progress,
  type Task,
} from "./explore_task.ts";
import type { Reply, Request } from "./explore_worker.ts";

const WORKER = new URL("./explore_worker.ts", import.meta.url);
/** Where the modules are that a worker loads. */
const ROOT = new URL("../", import.meta.url).pathname;

/** Does one task after the other. */
export interface Doer extends Disposable {
  /**
   * Does a task.
   *
   * @param task The task.
   * @param tell Is told how far it is; throws to leave it.
   * @returns What came of it.
   */
  do(task: Task, tell: (progress: Progress) => void): Promise<Outcome>;
}

/**
 * Those who do the tasks of a plan.
 *
 * @param plan The plan.
 * @returns As many as there are jobs; the program itself if there is one.
 * @throws {UserError} If the program may not start workers.
 */
export function doersOf(plan: ExplorePlan): Doer[] {
  if (plan.jobs === 1) return [new SelfDoer(plan)];
  const { state } = Deno.permissions.querySync({ name: "read", path: ROOT });
  if (state !== "granted") {
    throw new UserError(
      `Cannot use --jobs ${plan.jobs}: workers have to read their code; add --allow-read=${ROOT}`,
    );
  }
  return Array.from({ length: plan.jobs }, () => new WorkerDoer(plan));
}

class SelfDoer implements Doer {
  readonly #plan: ExplorePlan;

  constructor(plan: ExplorePlan) {
    this.#plan = plan;
  }

  do(task: Task, tell: (progress: Progress) => void): Promise<Outcome> {
    const { spec, query, checkpoint } = this.#plan;
    return doTask(spec, query, task, checkpoint !== null, tell);
  }

  [Symbol.dispose](): void {}
}

class WorkerDoer implements Doer {
  readonly #plan: ExplorePlan;
  readonly #worker: Worker;
  /** Fails when the worker ends, which it never should. */
  readonly #ended: PromiseWithResolvers<never> = Promise.withResolvers();

  constructor(plan: ExplorePlan) {
    this.#plan = plan;
    this.#worker = new Worker(WORKER, { type: "module" });
    this.#ended.promise.catch(() => {});
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#ended.reject(new Error(`a worker ended: ${event.message}`));
    };
  }

  do(task: Task, tell: (progress: Progress) => void): Promise<Outcome> {
    const { model, query, checkpoint } = this.#plan;
    const isSaved = checkpoint !== null;
    const request: Request = { model, query, task, isSaved };
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      try {
        if ("progress" in data) return tell(data.progress);
      } catch (error) {
        return reject(error);
      }
      if ("outcome" in data) return resolve(data.outcome);
      const { name, message, stack } = data.failure;
      const error = name === "UserError"
        ? new UserError(message)
        : name === "ReplayError"
        ? new ReplayError(message)
        : new Error(message);
      error.stack = stack;
      reject(error);
    };
    this.#worker.postMessage(request);
    return Promise.race([promise, this.#ended.promise]);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
