import type {
  BatchObservation,
  InferenceObserver,
  PredictionObservation,
} from "../../src/core/ports/inference-observer.ts";

/** Keeps what it hears, for tests to look at. */
export class RecordingObserver implements InferenceObserver {
  readonly batches: BatchObservation[] = [];
  readonly predictions: PredictionObservation[] = [];
  readonly failures: string[] = [];
  readonly cacheErrors: unknown[] = [];

  batchFinished(observation: BatchObservation): void {
    this.batches.push(observation);
  }

  predictionMade(observation: PredictionObservation): void {
    this.predictions.push(observation);
  }

  itemFailed(_model: string, _version: string, code: string): void {
    this.failures.push(code);
  }

  cacheFailed(error: unknown): void {
    this.cacheErrors.push(error);
  }
}
