import type { AnswerForm } from "./model-answers.ts";
import { runBatch } from "./model-answers.ts";
import type { ModelSession } from "./model-session.ts";

/** Whether a text gets the same answer alone and beside others. */
export interface BatchIndependence {
  readonly texts: number;
  /** Texts whose answer differs in at least one bit. */
  readonly changed: number;
  /** Largest difference between two numbers of the same answer. */
  readonly maxDifference: number;
}

/** Sizes of the batches; texts of all lengths meet in them, so nearly every row is padded. */
const BATCH_SIZES = [3, 8, 32] as const;

/** Runs each text alone and in batches of 3, 8 and 32 with its neighbours in the list, and compares bit for bit. */
export async function checkBatchIndependence(
  session: ModelSession,
  form: AnswerForm,
  texts: readonly Int32Array[],
): Promise<BatchIndependence> {
  const alone: Float32Array[] = [];
  for (const text of texts) alone.push(...(await runBatch(session, form, [text])));
  const changed = new Set<number>();
  let maxDifference = 0;
  for (const size of BATCH_SIZES) {
    for (let start = 0; start < texts.length; start += size) {
      const rows = await runBatch(session, form, texts.slice(start, start + size));
      for (const [row, answer] of rows.entries()) {
        const difference = findLargestDifference(answer, alone[start + row] as Float32Array);
        if (difference > 0) changed.add(start + row);
        maxDifference = Math.max(maxDifference, difference);
      }
    }
  }
  return { texts: texts.length, changed: changed.size, maxDifference };
}

function findLargestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce(
    (largest, number, i) => Math.max(largest, Math.abs(number - (b[i] as number))),
    0,
  );
}
