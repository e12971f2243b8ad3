/**
 * The events of a recording, in the vocabulary of all traces: identities in
 * place of addresses, and of what the kernel's probes tell as much as the
 * vocabulary has words for.
 *
 * @module
 */

import type { ContextKind, TraceEvent } from "../../core/mod.ts";
import { KEY } from "./args.ts";
import { endOf, type Fields, mapLine } from "./event_map.ts";
import { LEVEL } from "./line.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";

const decoder = new TextDecoder();

/** Later than this a time in nanoseconds is no exact number. */
const MAX_TS = Number.MAX_SAFE_INTEGER / 2;

const SECOND_NS = 1e9;

/** Turns the lines of a recording into events. */
export class EventMaker {
  readonly #r: Recording;
  readonly #inodes: Map<number, number> = new Map();
  readonly #queues: Map<number, number> = new Map();
  /** The names of workqueues, which their events do not tell. */
  readonly queueNames: Map<number, string> = new Map();
  #inode = 0;
  #seq = 0;
  #lost = 0;
  #base = NaN;

  /**
   * Makes the events of a recording.
   *
   * @param recording The recording.
   */
  constructor(recording: Recording) {
    this.#r = recording;
  }

  /**
   * The events that the line that was read last is.
   *
   * @param out Where to put them.
   */
  take(out: TraceEvent[]): void {
    const r = this.#r;
    this.#skipLost();
    const code = r.probe?.code ?? 0;
    if (r.probe === null) return;
    const { bio } = r;
    // The last part of a bio that was split ends the whole in one call.
    if (bio !== null && bio.ended === r.no && code !== CODE.bio_endio) {
      out.push(this.#event("bio_endio", endOf(bio)));
    }
    const made = mapLine(r);
    if (made === null) return;
    const [ev, fields] = made;
    if (ev === "dio_alloc") {
      out.push(this.#event(ev, fields));
      out.push(this.#event("inode_dio_begin", {
        ino: fields["ino"],
        dio: fields["dio"],
        count: r.args.get(KEY.i_dio_count_before) + 1,
      }));
    } else out.push(this.#event(ev, fields));
  }

  /** Lost events leave a gap in the numbers. */
  #skipLost(): void {
    this.#seq += this.#r.lost - this.#lost;
    this.#lost = this.#r.lost;
  }

  #event(ev: string, fields: Fields): TraceEvent {
    const { line, ctx } = this.#r;
    const comm = decoder.decode(
      line.bytes.subarray(line.commAt, line.commEnd),
    );
    if (Number.isNaN(this.#base)) {
      const seconds = Math.floor(line.ts / SECOND_NS);
      this.#base = line.ts > MAX_TS ? seconds * SECOND_NS : 0;
    }
    const event: TraceEvent = {
      seq: this.#seq++,
      ts: line.ts - this.#base,
      cpu: line.cpu,
      ctx: kindOf(ctx.level, comm),
      tid: line.pid,
      comm,
      ev,
    };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || Number.isNaN(value)) continue;
      event[name] = name === "ino"
        ? this.#inoOf(value as number)
        : name === "wq"
        ? this.#queueOf(value as number)
        : value;
    }
    return event;
  }

  /** Inodes are told by their addresses; they are numbered as they come. */
  #inoOf(addr: number): number {
    let ino = this.#inodes.get(addr);
    if (ino === undefined) this.#inodes.set(addr, ino = ++this.#inode);
    return ino;
  }

  #queueOf(name: number): number {
    let wq = this.#queues.get(name);
    if (wq === undefined) {
      this.#queues.set(name, wq = this.#queues.size + 1);
      const text = this.#r.names.text(name);
      if (text !== "") this.queueNames.set(wq, text);
    }
    return wq;
  }
}

function kindOf(level: number, comm: string): ContextKind {
  if (level === LEVEL.hardirq) return "hardirq";
  if (level === LEVEL.softirq) return "softirq";
  return comm.startsWith("kworker/") ? "kworker" : "task";
}
