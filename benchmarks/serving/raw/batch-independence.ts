import type { Backend } from "../../../src/core/ports/backend.ts";
import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";

/** Whether a text gets the same logits alone and beside others. */
export interface BatchIndependence {
  readonly texts: number;
  /** Texts with at least one bit that differs in at least one batch. */
  readonly changed: number;
  readonly largestDifference: number;
}

const BATCH_SIZES = [2, 8, 32] as const;

/**
 * Runs each text alone, then in batches of 2, 8 and 32 with its neighbours in the list, so that it meets others of all
 * lengths and nearly every row is padded. Rows are compared bit for bit.
 */
export async function checkBatchIndependence(
  backend: Pick<Backend, "run">,
  texts: readonly EncodedText[],
): Promise<BatchIndependence> {
  const alone: Float32Array[] = [];
  for (const text of texts) alone.push(...(await backend.run([text])));
  const changed = new Set<number>();
  let largestDifference = 0;
  for (const size of BATCH_SIZES) {
    for (let start = 0; start < texts.length; start += size) {
      const rows = await backend.run(texts.slice(start, start + size));
      for (const [i, row] of rows.entries()) {
        const expected = alone[start + i] ?? new Float32Array();
        if (Buffer.compare(toBytes(row), toBytes(expected)) !== 0) changed.add(start + i);
        largestDifference = Math.max(largestDifference, toLargestDifference(row, expected));
      }
    }
  }
  return { texts: texts.length, changed: changed.size, largestDifference };
}

function toBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function toLargestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}
