import { Batcher } from "../../../src/core/inference/batcher.ts";
import { NEVER_CANCELLED } from "../../../src/core/ports/cancellation.ts";
import type { BatchObservation } from "../../../src/core/ports/inference-observer.ts";
import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import { createSystemClock } from "../../../src/telemetry/system-clock.ts";
import type { OpenPackage } from "../models/open-package.ts";

/** What the batch policy made of a queue full of texts. */
export interface ReplayFigures {
  readonly textsPerSecond: number;
  readonly paddingRatio: number;
  readonly textsPerBatch: number;
}

/**
 * Hands all texts at once to the server's own batcher, in front of the server's own backend, and waits for the last
 * answer. No HTTP, no tokenizer: what is measured is the policy and the way to the workers and back.
 */
export async function replayPolicy(
  { config, backend }: Pick<OpenPackage, "config" | "backend">,
  texts: readonly EncodedText[],
): Promise<ReplayFigures> {
  const observations: BatchObservation[] = [];
  const batcher = new Batcher({
    backend,
    clock: createSystemClock(),
    // Admission is not what is measured: everything may wait.
    limits: {
      ...config.batching,
      maxQueueItems: texts.length,
      maxQueueWaitMs: Number.POSITIVE_INFINITY,
    },
    observer: {
      batchFinished: (observation) => observations.push(observation),
      predictionMade: () => {},
      itemFailed: () => {},
    },
  });
  const startMs = performance.now();
  await Promise.all(
    texts.map((encoded) =>
      batcher.submit({
        encoded,
        ticket: { deadlineMs: Number.POSITIVE_INFINITY, cancellation: NEVER_CANCELLED },
        flow: { id: "benchmark", weight: 1 },
        lane: "online",
      }),
    ),
  );
  const elapsedMs = performance.now() - startMs;
  await batcher.drain();
  const sum = (read: (observation: BatchObservation) => number) =>
    observations.reduce((total, observation) => total + read(observation), 0);
  return {
    textsPerSecond: (texts.length / elapsedMs) * 1000,
    paddingRatio: sum(({ paddedTokens }) => paddedTokens) / sum(({ tokens }) => tokens),
    textsPerBatch: texts.length / observations.length,
  };
}
