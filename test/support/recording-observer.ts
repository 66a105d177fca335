import type {
  BatchObservation,
  InferenceObserver,
  VersionObserver,
} from "../../src/core/ports/inference-observer.ts";

/** Keeps what it hears, for tests to look at. */
export class RecordingObserver implements InferenceObserver, VersionObserver {
  readonly batches: BatchObservation[] = [];
  readonly predictions: { label: string; source: string }[] = [];
  readonly failures: string[] = [];
  readonly cacheErrors: unknown[] = [];

  forVersion(): VersionObserver {
    return this;
  }

  batchFinished(observation: BatchObservation): void {
    this.batches.push(observation);
  }

  predictionMade(label: string, source: string): void {
    this.predictions.push({ label, source });
  }

  itemFailed(code: string): void {
    this.failures.push(code);
  }

  cacheFailed(error: unknown): void {
    this.cacheErrors.push(error);
  }
}
