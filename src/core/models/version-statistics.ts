import type { ErrorCode } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  AnswerSource,
  BatchObservation,
  VersionObserver,
} from "../ports/inference-observer.ts";

/** How often something happened and how long it took altogether. */
export interface Tally {
  readonly count: number;
  readonly ms: number;
}

/** What one version has done since it was loaded, as protocols report it. */
export interface StatisticsSnapshot {
  /** `Clock.epochMs` time of the latest answer; 0 before the first. */
  readonly lastInferenceMs: number;
  /** Answers, wherever they came from. */
  readonly succeeded: Tally;
  /** Texts or tensors without an answer; how long they took is not known. */
  readonly failed: Tally;
  readonly cacheHits: Tally;
  /** Runs of the model. `ms`: the waits of their oldest members. */
  readonly queue: Tally;
  /** Runs of the model, and how long they took. */
  readonly runs: Tally;
  /** Texts or rows that were run. */
  readonly itemsRun: number;
  /** The same by the number of texts or rows in a run, smallest first. */
  readonly runsBySize: readonly (Tally & { readonly items: number })[];
}

interface MutableTally {
  count: number;
  ms: number;
}

const createTally = (): MutableTally => ({ count: 0, ms: 0 });

function add(tally: MutableTally, ms: number): void {
  tally.count++;
  tally.ms += ms;
}

/** Adds up what an observer hears, and passes it on. */
export class VersionStatistics implements VersionObserver {
  readonly #clock: Pick<Clock, "epochMs">;
  readonly #next: VersionObserver;
  readonly #succeeded = createTally();
  readonly #failed = createTally();
  readonly #cacheHits = createTally();
  readonly #queue = createTally();
  readonly #runs = createTally();
  readonly #runsBySize = new Map<number, MutableTally>();
  #itemsRun = 0;
  #lastInferenceMs = 0;

  constructor(clock: Pick<Clock, "epochMs">, next: VersionObserver) {
    this.#clock = clock;
    this.#next = next;
  }

  batchFinished(observation: BatchObservation): void {
    // What no caller asked for is counted for itself.
    if (!observation.isCopy) this.#addRun(observation);
    this.#next.batchFinished(observation);
  }

  #addRun({ items, queueMs, runMs }: BatchObservation): void {
    add(this.#queue, queueMs);
    add(this.#runs, runMs);
    this.#itemsRun += items;
    const known = this.#runsBySize.get(items);
    const bySize = known ?? createTally();
    if (known === undefined) this.#runsBySize.set(items, bySize);
    add(bySize, runMs);
  }

  predictionMade(bestLabel: string, source: AnswerSource, durationMs: number): void {
    add(this.#succeeded, durationMs);
    if (source === "cache") add(this.#cacheHits, durationMs);
    this.#lastInferenceMs = this.#clock.epochMs();
    this.#next.predictionMade(bestLabel, source, durationMs);
  }

  itemFailed(code: ErrorCode): void {
    add(this.#failed, 0);
    this.#next.itemFailed(code);
  }

  snapshot(): StatisticsSnapshot {
    const sizes = [...this.#runsBySize].toSorted(([a], [b]) => a - b);
    return {
      lastInferenceMs: this.#lastInferenceMs,
      succeeded: { ...this.#succeeded },
      failed: { ...this.#failed },
      cacheHits: { ...this.#cacheHits },
      queue: { ...this.#queue },
      runs: { ...this.#runs },
      itemsRun: this.#itemsRun,
      runsBySize: sizes.map(([items, tally]) => ({ items, ...tally })),
    };
  }
}
