import { SluiceError } from "../../src/core/errors.ts";
import type { Backend, RunCost } from "../../src/core/ports/backend.ts";
import type { Clock } from "../../src/core/ports/clock.ts";
import type { RunOptions } from "../../src/core/ports/run-options.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";

/** A first id that makes every batch fail which holds it. */
export const POISON = -666;

export interface ScriptedBackendOptions {
  readonly clock: Clock;
  readonly slots?: number;
  readonly parallelRuns?: number;
  readonly runMs?: () => number;
  readonly cost?: RunCost;
  readonly pads?: boolean;
}

export interface ScriptedRun {
  readonly startedMs: number;
  /** Infinity while it runs. */
  endedMs: number;
  /** First id of each member: what tests use as its identity. */
  readonly owners: readonly number[];
  readonly tokenCounts: readonly number[];
  readonly isCopy: boolean;
}

/**
 * A backend whose answers name their owner: the row of a text is `[first id, number of ids]`. Runs take as long as the
 * script says, fail when they hold poison, and are recorded.
 */
export class ScriptedBackend implements Backend {
  readonly slots: number;
  readonly parallelRuns: number;
  /** May be measured anew. */
  cost: RunCost;
  readonly pads: boolean;
  readonly description = "scripted";
  readonly runs: ScriptedRun[] = [];
  /** The largest number of runs that were in flight at once. */
  mostInFlight = 0;
  #inFlight = 0;
  readonly #clock: Clock;
  readonly #runMs: () => number;

  constructor(options: ScriptedBackendOptions) {
    this.#clock = options.clock;
    this.slots = options.slots ?? 1;
    this.parallelRuns = options.parallelRuns ?? this.slots;
    this.cost = options.cost ?? { fixedMs: 0, perTokenMs: 1 };
    this.pads = options.pads ?? false;
    this.#runMs = options.runMs ?? (() => 10);
  }

  async run(
    batch: readonly EncodedText[],
    { isCopy }: RunOptions = { isCopy: false },
  ): Promise<readonly Float32Array[]> {
    this.#inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const owners = batch.map((text) => text.ids[0] ?? 0);
    const tokenCounts = batch.map((text) => text.ids.length);
    const run = {
      startedMs: this.#clock.nowMs(),
      endedMs: Number.POSITIVE_INFINITY,
      owners,
      tokenCounts,
      isCopy,
    };
    this.runs.push(run);
    await new Promise<void>((resolve) => this.#clock.setTimer(this.#runMs(), resolve));
    this.#inFlight--;
    run.endedMs = this.#clock.nowMs();
    if (owners.includes(POISON)) throw new SluiceError("model_failed", "Poisoned.");
    return batch.map((text) => Float32Array.of(text.ids[0] ?? 0, text.ids.length));
  }

  async close(): Promise<void> {}
}

/** A text of `tokens` ids that starts with `owner`. */
export function encodedAs(owner: number, tokens = 1): EncodedText {
  const ids = new Int32Array(tokens);
  ids[0] = owner;
  return { ids, secondStart: tokens };
}
