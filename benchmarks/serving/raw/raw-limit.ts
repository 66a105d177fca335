import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import type { PackedBatch } from "./pack-batches.ts";
import { packSorted } from "./pack-batches.ts";
import type { RawPoolOptions } from "./raw-pool.ts";
import { openRawPool } from "./raw-pool.ts";
import type { IdBatch } from "./raw-protocol.ts";
import { sampleByLength } from "./sample-by-length.ts";

/** The raw reference looks at as many texts at once as a server with 64 connections can. */
const SORT_WINDOW = 64;
const MAX_TOKENS = 256;
const TEXTS = 768;

/** The texts of one corpus, as ids. */
export interface EncodedCorpus {
  readonly name: string;
  readonly texts: readonly EncodedText[];
}

/** Raw speed of one model with one corpus. */
export interface RawLimit {
  readonly corpus: string;
  /** The best of the repeats. */
  readonly textsPerSecond: number;
  readonly repeats: readonly number[];
}

/**
 * The most texts/s that the model gives on all cores, with nothing else to do: `session.run` in a loop in one thread per
 * core, on batches that are sorted by length and short. What a server reaches is held against this.
 */
export async function measureRawLimits(
  options: RawPoolOptions,
  corpora: readonly EncodedCorpus[],
  { durationMs, repeats }: { readonly durationMs: number; readonly repeats: number },
): Promise<RawLimit[]> {
  const pool = await openRawPool(options);
  try {
    const limits: RawLimit[] = [];
    for (const { name, texts } of corpora) {
      const sample = sampleByLength(texts, TEXTS);
      const batches = packSorted(lengthsOf(sample), SORT_WINDOW, MAX_TOKENS);
      await pool.prepare(toIdBatches(sample, batches));
      const rates: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) rates.push(await pool.measure(durationMs));
      limits.push({ corpus: name, textsPerSecond: Math.max(...rates), repeats: rates });
    }
    return limits;
  } finally {
    await pool.close();
  }
}

export function lengthsOf(texts: readonly EncodedText[]): number[] {
  return texts.map(({ ids }) => ids.length);
}

export function toIdBatches(
  texts: readonly EncodedText[],
  batches: readonly PackedBatch[],
): IdBatch[] {
  return batches.map((batch) =>
    batch.flatMap((position) => texts.slice(position, position + 1).map(({ ids }) => ids)),
  );
}
