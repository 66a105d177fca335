import type { OpenPackage } from "../models/open-package.ts";
import { packInOrder, toPaddingRatio } from "./pack-batches.ts";
import type { ReplayFigures } from "./policy-replay.ts";
import { replayPolicy } from "./policy-replay.ts";
import type { EncodedCorpus } from "./raw-limit.ts";
import { lengthsOf, toIdBatches } from "./raw-limit.ts";
import { openRawPool } from "./raw-pool.ts";
import { sampleByLength } from "./sample-by-length.ts";

/** What servers do that fill batches of this many in the order of arrival, padded to the longest. */
const FIFO_SIZE = 32;

/** The server's batch policy beside batches in the order of arrival, on the same texts. */
export interface PolicyComparison {
  readonly corpus: string;
  readonly texts: number;
  readonly policy: ReplayFigures;
  readonly fifo: { readonly textsPerSecond: number; readonly paddingRatio: number };
  /** One text per run: no padding, and the fixed cost of a run for every text. */
  readonly alone: { readonly textsPerSecond: number };
}

/** @param repeats the best of which counts, for each policy */
export async function comparePolicies(
  open: OpenPackage,
  workers: number,
  corpora: readonly EncodedCorpus[],
  { texts: count, repeats }: { readonly texts: number; readonly repeats: number },
): Promise<PolicyComparison[]> {
  const { modelPath, padId } = open;
  const comparisons: PolicyComparison[] = [];
  for (const { name, texts } of corpora) {
    const sample = sampleByLength(texts, count);
    const lengths = lengthsOf(sample);
    const measureRaw = async (size: number) => {
      const pool = await openRawPool({ modelPath, padId, threads: 1, workers });
      try {
        const batches = packInOrder(lengths, size);
        await pool.prepare(toIdBatches(sample, batches));
        const rates: number[] = [];
        for (let repeat = 0; repeat < repeats; repeat++) rates.push(await pool.measure(0));
        return {
          textsPerSecond: Math.max(...rates),
          paddingRatio: toPaddingRatio(lengths, batches),
        };
      } finally {
        await pool.close();
      }
    };
    comparisons.push({
      corpus: name,
      texts: sample.length,
      policy: await replayBest(open, sample, repeats),
      fifo: await measureRaw(FIFO_SIZE),
      alone: await measureRaw(1),
    });
  }
  return comparisons;
}

async function replayBest(
  open: OpenPackage,
  texts: Parameters<typeof replayPolicy>[1],
  repeats: number,
): Promise<ReplayFigures> {
  let best = await replayPolicy(open, texts);
  for (let repeat = 1; repeat < repeats; repeat++) {
    const next = await replayPolicy(open, texts);
    if (next.textsPerSecond > best.textsPerSecond) best = next;
  }
  return best;
}
