import type { Clock } from "../core/ports/clock.ts";
import type { InferenceObserver, VersionObserver } from "../core/ports/inference-observer.ts";
import type { DurationCount, ModelStatistics } from "../core/ports/model-statistics.ts";

const NS_PER_MS = 1e6;

/** A sum that grows. */
class DurationSum {
  #count = 0;
  #totalMs = 0;

  add(ms: number, count = 1): void {
    this.#count += count;
    this.#totalMs += ms;
  }

  read(): DurationCount {
    return { count: this.#count, ns: this.#totalMs * NS_PER_MS };
  }
}

/** Every duration that is summed up for a version. */
function createSums() {
  return {
    success: new DurationSum(),
    fail: new DurationSum(),
    queue: new DurationSum(),
    infer: new DurationSum(),
    cacheHit: new DurationSum(),
    cacheMiss: new DurationSum(),
    byBatchSize: new Map<number, DurationSum>(),
  };
}

interface VersionSums {
  readonly sums: ReturnType<typeof createSums>;
  lastInferenceMs: number;
}

/** Sums up what every version did in this process since it was loaded, for protocols that can be asked for it. */
export class ModelStatisticsRecorder implements InferenceObserver {
  readonly #clock: Pick<Clock, "epochMs">;
  readonly #versions = new Map<string, VersionSums>();

  constructor(clock: Pick<Clock, "epochMs">) {
    this.#clock = clock;
  }

  forVersion(model: string, version: string): VersionObserver {
    const recorded: VersionSums = { sums: createSums(), lastInferenceMs: 0 };
    this.#versions.set(toKey(model, version), recorded);
    return createVersionObserver(recorded, this.#clock);
  }

  cacheFailed(): void {
    // Belongs to no version.
  }

  /** `undefined` for a version that was never loaded. */
  read(model: string, version: string): ModelStatistics | undefined {
    const recorded = this.#versions.get(toKey(model, version));
    if (recorded === undefined) return undefined;
    const { sums, lastInferenceMs } = recorded;
    const nothing = { count: 0, ns: 0 };
    return {
      name: model,
      version,
      lastInferenceMs,
      inferenceCount: sums.success.read().count,
      executionCount: sums.infer.read().count,
      success: sums.success.read(),
      fail: sums.fail.read(),
      queue: sums.queue.read(),
      // What lies before and behind the runs is not measured by version.
      computeInput: nothing,
      computeInfer: sums.infer.read(),
      computeOutput: nothing,
      cacheHit: sums.cacheHit.read(),
      cacheMiss: sums.cacheMiss.read(),
      batches: [...sums.byBatchSize.entries()]
        .sort(([left], [right]) => left - right)
        .map(([size, sum]) => ({ size, infer: sum.read() })),
    };
  }
}

/** No name of a model holds a colon. */
function toKey(model: string, version: string): string {
  return `${model}:${version}`;
}

function createVersionObserver(
  recorded: VersionSums,
  clock: Pick<Clock, "epochMs">,
): VersionObserver {
  const { sums } = recorded;
  return {
    batchFinished({ items, queueMs, runMs }) {
      sums.queue.add(queueMs);
      sums.infer.add(runMs);
      let ofSize = sums.byBatchSize.get(items);
      if (ofSize === undefined) {
        ofSize = new DurationSum();
        sums.byBatchSize.set(items, ofSize);
      }
      ofSize.add(runMs);
    },
    predictionMade(_label, source, durationMs) {
      recorded.lastInferenceMs = clock.epochMs();
      sums.success.add(durationMs);
      (source === "cache" ? sums.cacheHit : sums.cacheMiss).add(durationMs);
    },
    itemFailed() {
      recorded.lastInferenceMs = clock.epochMs();
      sums.fail.add(0);
    },
  };
}

/** One observer that tells several, in order. */
export function combineObservers(observers: readonly InferenceObserver[]): InferenceObserver {
  return {
    forVersion: (model, version) => {
      const versions = observers.map((observer) => observer.forVersion(model, version));
      return {
        batchFinished: (observation) => {
          for (const observer of versions) observer.batchFinished(observation);
        },
        predictionMade: (label, source, durationMs) => {
          for (const observer of versions) observer.predictionMade(label, source, durationMs);
        },
        itemFailed: (code) => {
          for (const observer of versions) observer.itemFailed(code);
        },
      };
    },
    cacheFailed: (error) => {
      for (const observer of observers) observer.cacheFailed(error);
    },
  };
}
