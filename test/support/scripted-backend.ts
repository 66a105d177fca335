import { SluiceError } from "../../src/core/errors.ts";
import type { Backend } from "../../src/core/ports/backend.ts";
import type { Clock } from "../../src/core/ports/clock.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";

/** A first id that makes every batch fail which holds it. */
export const POISON = -666;

export interface ScriptedRun {
  readonly startedMs: number;
  /** First id of each member: what tests use as its identity. */
  readonly owners: readonly number[];
  readonly tokenCounts: readonly number[];
}

/**
 * A backend whose answers name their owner: the row of a text is `[first id, number of ids]`. Runs take as long as the
 * script says, fail when they hold poison, and are recorded.
 */
export class ScriptedBackend implements Backend {
  readonly slots: number;
  readonly description = "scripted";
  readonly runs: ScriptedRun[] = [];
  /** The largest number of runs that were in flight at once. */
  mostInFlight = 0;
  #inFlight = 0;
  readonly #clock: Clock;
  readonly #runMs: () => number;

  constructor(options: { clock: Clock; slots?: number; runMs?: () => number }) {
    this.#clock = options.clock;
    this.slots = options.slots ?? 1;
    this.#runMs = options.runMs ?? (() => 10);
  }

  async run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]> {
    this.#inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const owners = batch.map((text) => text.ids[0] ?? 0);
    const tokenCounts = batch.map((text) => text.ids.length);
    this.runs.push({ startedMs: this.#clock.nowMs(), owners, tokenCounts });
    await new Promise<void>((resolve) => this.#clock.setTimer(this.#runMs(), resolve));
    this.#inFlight--;
    if (owners.includes(POISON)) throw new SluiceError("model_failed", "Poisoned.");
    return batch.map((text) => Float32Array.of(text.ids[0] ?? 0, text.ids.length));
  }

  async close(): Promise<void> {}
}

/** A text of `tokens` ids that starts with `owner`. */
export function encodedAs(owner: number, tokens = 1): EncodedText {
  const ids = new Int32Array(tokens);
  ids[0] = owner;
  return { ids, truncated: false };
}
