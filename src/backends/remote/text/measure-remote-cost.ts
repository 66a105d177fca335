import type { RunCost } from "../../../core/ports/backend.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { TimedBatch } from "../../onnx/placement/fit-cost.ts";
import { fitCost } from "../../onnx/placement/fit-cost.ts";
import { createCarrierTokenizer } from "./carrier-tokenizer.ts";

/** Texts and repetitions of the sample in each: few and small, because others may be using the same servers. */
const SHAPES = [
  { texts: 1, repeats: 1 },
  { texts: 4, repeats: 1 },
  { texts: 1, repeats: 8 },
  { texts: 8, repeats: 2 },
];
const ROUNDS = 4;
const BUDGET_MS = 1_000;
const SAMPLE = "The quick brown fox jumps over the lazy dog. ";

/**
 * Measures what a run on other servers costs, the way there and back included, per UTF-16 unit of text. What counts is
 * the fastest of a few runs. Takes a second at most, unless the first runs take longer.
 *
 * @throws SluiceError whatever `run` throws
 */
export async function measureRemoteCost(
  run: (batch: readonly EncodedText[]) => Promise<unknown>,
  readsPairs: boolean,
  nowMs: () => number,
): Promise<RunCost> {
  const { encode } = createCarrierTokenizer();
  const batches = SHAPES.map(({ texts, repeats }) =>
    Array.from(
      { length: texts },
      () => encode(SAMPLE.repeat(repeats), readsPairs ? SAMPLE : undefined).windows,
    ).flat(),
  );
  const timed: (TimedBatch | undefined)[] = batches.map(() => undefined);
  const startedMs = nowMs();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, batch] of batches.entries()) {
      const runStartedMs = nowMs();
      await run(batch);
      const ms = nowMs() - runStartedMs;
      const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
      // The first round warms up, and counts only where there is no second.
      const known = round > 1 ? (timed[index]?.ms ?? ms) : ms;
      timed[index] = { tokens, ms: Math.min(known, ms) };
    }
    if (nowMs() - startedMs > BUDGET_MS) break;
  }
  return fitCost(timed.filter((batch) => batch !== undefined));
}
