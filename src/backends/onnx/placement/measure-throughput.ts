import type { EncodedText } from "../../../core/ports/tokenizer.ts";

/** Something that runs batches, so many at once. */
export interface Measurable {
  readonly slots: number;
  run(batch: readonly EncodedText[]): Promise<unknown>;
}

export interface ThroughputOptions {
  /** The batch that is run again and again. */
  readonly batch: readonly EncodedText[];
  /** Stops after this time. Every slot runs the batch at least once more than needed to warm up. */
  readonly limitMs: number;
  /** True as soon as there is something better to do. */
  readonly isInterrupted: () => boolean;
}

/**
 * Ids per millisecond that get done while all slots are busy.
 *
 * @returns undefined when it was interrupted
 * @throws what `run` throws
 */
export async function measureThroughput(
  subject: Measurable,
  { batch, limitMs, isInterrupted }: ThroughputOptions,
): Promise<number | undefined> {
  const slots = Array.from({ length: subject.slots });
  await Promise.all(slots.map(() => subject.run(batch)));
  const startedMs = performance.now();
  let batches = 0;
  const keepBusy = async () => {
    do {
      if (isInterrupted()) return;
      await subject.run(batch);
      batches++;
    } while (performance.now() - startedMs < limitMs);
  };
  await Promise.all(slots.map(keepBusy));
  const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
  return isInterrupted() ? undefined : (batches * tokens) / (performance.now() - startedMs);
}
