import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { MeasuredCost } from "../placement/measure-cost.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import type { WorkCodec, WorkerStart } from "./worker-protocol.ts";

/** What a worker thread that runs texts has to load. */
export interface WorkerSetup extends WorkerStart {
  readonly spec: RunnerSpec;
}

/** What a worker says about itself once it has loaded the model. */
export interface LoadedModel {
  readonly description: string;
  readonly pads: boolean;
  readonly cost: MeasuredCost;
  /** By how much the process grew while this model was loaded and first run. Others may have allocated meanwhile. */
  readonly memoryBytes: number;
}

/** How batches of texts travel to a worker, and rows back: one after the other, all of the same length. */
export const TEXT_CODEC: WorkCodec<
  readonly EncodedText[],
  readonly Float32Array[],
  Int32Array,
  Float32Array
> = {
  pack: (batch) => {
    const packed = packBatch(batch);
    return { packed, transfer: [packed.buffer] };
  },
  unpack: (logits, batch) => unpackRows(logits, batch.length),
};

/** 32-bit cells in front of the ids: the number of texts, then two for each. */
const HEADER_CELLS = 1;
const TEXT_CELLS = 2;

/**
 * Packs texts into one array, whose memory can be handed over whole: the number of texts, length and start of the second
 * text for each, then all ids.
 */
export function packBatch(batch: readonly EncodedText[]): Int32Array<ArrayBuffer> {
  let cells = HEADER_CELLS + TEXT_CELLS * batch.length;
  for (const { ids } of batch) cells += ids.length;
  const packed = new Int32Array(cells);
  packed[0] = batch.length;
  let offset = HEADER_CELLS + TEXT_CELLS * batch.length;
  for (const [index, { ids, secondStart }] of batch.entries()) {
    packed[HEADER_CELLS + TEXT_CELLS * index] = ids.length;
    packed[HEADER_CELLS + TEXT_CELLS * index + 1] = secondStart;
    packed.set(ids, offset);
    offset += ids.length;
  }
  return packed;
}

/** The inverse of `packBatch`. The ids are views of `packed`. */
export function unpackBatch(packed: Int32Array): EncodedText[] {
  const count = packed[0] ?? 0;
  let offset = HEADER_CELLS + TEXT_CELLS * count;
  return Array.from({ length: count }, (_, index) => {
    const length = packed[HEADER_CELLS + TEXT_CELLS * index] ?? 0;
    const secondStart = packed[HEADER_CELLS + TEXT_CELLS * index + 1] ?? length;
    const ids = packed.subarray(offset, offset + length);
    offset += length;
    return { ids, secondStart };
  });
}

/** Joins rows of equal length. */
export function packRows(rows: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const width = rows[0]?.length ?? 0;
  const packed = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) packed.set(row, index * width);
  return packed;
}

/** The inverse of `packRows`. Rows are copies, so that keeping one does not keep the whole batch in memory. */
export function unpackRows(packed: Float32Array, count: number): Float32Array[] {
  const width = packed.length / count;
  return Array.from({ length: count }, (_, row) => packed.slice(row * width, (row + 1) * width));
}
