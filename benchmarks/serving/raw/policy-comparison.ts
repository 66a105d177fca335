import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import type { OpenPackage } from "../models/open-package.ts";
import type { PackedBatch } from "./pack-batches.ts";
import { packInOrder, toPaddingRatio } from "./pack-batches.ts";
import type { Replay } from "./policy-replay.ts";
import { replayPolicy } from "./policy-replay.ts";
import type { EncodedCorpus } from "./raw-limit.ts";
import { lengthsOf, toIdBatches } from "./raw-limit.ts";
import { openRawPool } from "./raw-pool.ts";
import { sampleByLength } from "./sample-by-length.ts";

/** What servers do that fill batches of this many in the order of arrival, padded to the longest. */
const FIFO_SIZE = 32;
/** Fast policies go through the texts several times. */
const LEAST_MEASURED_MS = 1500;

/** A way to put texts together: how fast its batches run on raw threads, and how they look. */
export interface PolicyFigures {
  readonly textsPerSecond: number;
  readonly paddingRatio: number;
  readonly textsPerBatch: number;
}

/** The server's batch policy beside batches in the order of arrival, on the same texts. */
export interface PolicyComparison {
  readonly corpus: string;
  readonly texts: number;
  readonly policy: PolicyFigures;
  readonly fifo: PolicyFigures;
  /** One text per run: no padding, and the fixed cost of a run for every text. */
  readonly alone: PolicyFigures;
  /** The policy's texts/s through the server's own batcher, workers and messages. */
  readonly replayedPerSecond: number;
}

/**
 * All policies on the same raw threads, in turns, so that nothing but what is put together differs.
 *
 * @param repeats the best of which counts, for each policy
 */
export async function comparePolicies(
  open: OpenPackage,
  workers: number,
  corpora: readonly EncodedCorpus[],
  { texts: count, repeats }: { readonly texts: number; readonly repeats: number },
): Promise<PolicyComparison[]> {
  const comparisons: PolicyComparison[] = [];
  for (const { name, texts } of corpora) {
    const sample = sampleByLength(texts, count);
    const lengths = lengthsOf(sample);
    const replay = await replayBest(open, sample, repeats);
    const packings = [replay.batches, packInOrder(lengths, FIFO_SIZE), packInOrder(lengths, 1)];
    const rates = await measurePackings(open, workers, sample, { packings, repeats });
    const [policy, fifo, alone] = packings.map((batches, i) => ({
      textsPerSecond: rates[i] ?? Number.NaN,
      paddingRatio: toPaddingRatio(lengths, batches),
      textsPerBatch: sample.length / batches.length,
    }));
    if (policy === undefined || fifo === undefined || alone === undefined) continue;
    const replayedPerSecond = replay.textsPerSecond;
    comparisons.push({
      corpus: name,
      texts: sample.length,
      policy,
      fifo,
      alone,
      replayedPerSecond,
    });
  }
  return comparisons;
}

interface Packings {
  readonly packings: readonly (readonly PackedBatch[])[];
  readonly repeats: number;
}

/** @returns texts/s, the best of the repeats, for each packing */
async function measurePackings(
  { modelPath, padId }: OpenPackage,
  workers: number,
  texts: readonly EncodedText[],
  { packings, repeats }: Packings,
): Promise<number[]> {
  const pool = await openRawPool({ modelPath, padId, threads: 1, workers });
  try {
    const best = packings.map(() => 0);
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const [i, batches] of packings.entries()) {
        await pool.prepare(toIdBatches(texts, batches));
        best[i] = Math.max(best[i] ?? 0, await pool.measure(LEAST_MEASURED_MS));
      }
    }
    return best;
  } finally {
    await pool.close();
  }
}

async function replayBest(
  open: OpenPackage,
  texts: readonly EncodedText[],
  repeats: number,
): Promise<Replay> {
  let best = await replayPolicy(open, texts);
  for (let repeat = 1; repeat < repeats; repeat++) {
    const next = await replayPolicy(open, texts);
    if (next.textsPerSecond > best.textsPerSecond) best = next;
  }
  return best;
}
