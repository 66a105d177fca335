import type { ErrorCode } from "../../../core/errors.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { MeasuredCost } from "../placement/measure-cost.ts";
import type { RunnerSpec } from "../runner-spec.ts";

/** What a worker thread has to load. */
export interface WorkerSetup {
  readonly spec: RunnerSpec;
  /** How far the thread steps back for others, 0..19; Linux only. */
  readonly niceness: number;
  /** Somebody waits for this thread to be ready, so it steps back only then. */
  readonly isAwaited: boolean;
}

/** What a worker says about itself once it has loaded the model. */
export interface LoadedModel {
  readonly description: string;
  readonly pads: boolean;
  readonly cost: MeasuredCost;
  /** By how much the process grew while this model was loaded and first run. Others may have allocated meanwhile. */
  readonly memoryBytes: number;
}

/** From the pool to a worker. */
export type WorkerRequest =
  /** The first request. */
  | { readonly kind: "load"; readonly setup: WorkerSetup }
  /** The second: warm up and measure with these typical texts, at least one. */
  | { readonly kind: "measure"; readonly texts: readonly EncodedText[] }
  | { readonly kind: "run"; readonly batchId: number; readonly packedIds: Int32Array<ArrayBuffer> }
  /** Finish what is queued, free the model, end. */
  | { readonly kind: "close" };

/** From a worker to the pool. The first reply is `loaded`, once measured, or `loadFailed`; then one per `run`, in order. */
export type WorkerReply =
  | ({ readonly kind: "loaded" } & LoadedModel)
  | { readonly kind: "loadFailed"; readonly error: WireError }
  /** Rows one after the other, all of the same length. */
  | { readonly kind: "rows"; readonly batchId: number; readonly logits: Float32Array<ArrayBuffer> }
  | { readonly kind: "runFailed"; readonly batchId: number; readonly error: WireError };

/** A SluiceError as plain data: error classes do not survive the way between threads. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Stack or text of the cause, for logs. */
  readonly cause: string | undefined;
}

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

export function encodeError(error: SluiceError): WireError {
  const { code, message, cause } = error;
  if (cause === undefined) return { code, message, cause: undefined };
  return { code, message, cause: cause instanceof Error ? cause.stack : String(cause) };
}

export function decodeError({ code, message, cause }: WireError): SluiceError {
  return new SluiceError(code, message, cause === undefined ? {} : { cause });
}
