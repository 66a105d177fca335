import { Batcher } from "../../../src/core/inference/batcher.ts";
import { NEVER_CANCELLED } from "../../../src/core/ports/cancellation.ts";
import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import { createSystemClock } from "../../../src/telemetry/system-clock.ts";
import type { OpenPackage } from "../models/open-package.ts";
import type { PackedBatch } from "./pack-batches.ts";

/** What the batch policy made of a queue full of texts. */
export interface Replay {
  /** With the way to the workers and back, and to the very last answer, when some workers have nothing left to do. */
  readonly textsPerSecond: number;
  /** What ran together, in the order of the runs. */
  readonly batches: readonly PackedBatch[];
}

/**
 * Hands all texts at once to the server's own batcher, in front of the server's own backend, and waits for the last
 * answer. No HTTP, no tokenizer: what is measured is the policy and the way to the workers and back.
 */
export async function replayPolicy(
  { config, backend }: Pick<OpenPackage, "config" | "backend">,
  texts: readonly EncodedText[],
): Promise<Replay> {
  const positions = new Map(texts.map((text, position) => [text, position]));
  const batches: PackedBatch[] = [];
  const batcher = new Batcher({
    backend: {
      ...backend,
      run: (batch) => {
        batches.push(batch.map((text) => positions.get(text) ?? 0));
        return backend.run(batch);
      },
    },
    clock: createSystemClock(),
    // Admission is not what is measured: everything may wait.
    limits: {
      ...config.batching,
      maxQueueItems: texts.length,
      maxQueueWaitMs: Number.POSITIVE_INFINITY,
    },
    observer: {
      batchFinished: () => {},
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
  return { textsPerSecond: (texts.length / elapsedMs) * 1000, batches };
}
