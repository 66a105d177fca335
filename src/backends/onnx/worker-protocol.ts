import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { RunnerSpec } from "./runner-spec.ts";

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly spec: RunnerSpec;
  /** Ids of typical texts to warm up and measure with; at least one. */
  readonly warmup: readonly Int32Array[];
}

/** From the pool to a worker. */
export type WorkerRequest =
  | { readonly kind: "run"; readonly batchId: number; readonly packedIds: Int32Array<ArrayBuffer> }
  /** Finish what is queued, free the model, end. */
  | { readonly kind: "close" };

/** From a worker to the pool. The first reply is `loaded` or `loadFailed`; then one per `run`, in order. */
export type WorkerReply =
  | { readonly kind: "loaded"; readonly description: string; readonly measuredRunMs: number }
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

/**
 * Packs texts into one array, whose memory can be handed over whole: the number of texts, the length of each, then
 * all ids.
 */
export function packBatch(batch: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const idCount = batch.reduce((sum, ids) => sum + ids.length, 0);
  const packed = new Int32Array(1 + batch.length + idCount);
  packed[0] = batch.length;
  let offset = 1 + batch.length;
  for (const [index, ids] of batch.entries()) {
    packed[1 + index] = ids.length;
    packed.set(ids, offset);
    offset += ids.length;
  }
  return packed;
}

/** The inverse of `packBatch`. The texts are views of `packed`. */
export function unpackBatch(packed: Int32Array): Int32Array[] {
  const count = packed[0] ?? 0;
  let offset = 1 + count;
  return Array.from(packed.subarray(1, offset), (length) => {
    const ids = packed.subarray(offset, offset + length);
    offset += length;
    return ids;
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
