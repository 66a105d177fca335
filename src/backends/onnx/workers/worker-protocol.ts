import type { ErrorCode } from "../../../core/errors.ts";
import { SluiceError } from "../../../core/errors.ts";

/** What every worker thread is told first, whatever it does. */
export interface WorkerStart {
  /** How far the thread steps back for others, 0..19; Linux only. */
  readonly niceness: number;
  /** Somebody waits for this thread to be ready, so it steps back only then. */
  readonly isAwaited: boolean;
}

/** Something on its way between threads. */
export interface Parcel<Packed> {
  readonly packed: Packed;
  /** Memory that is handed over instead of copied: the sender has it no more. */
  readonly transfer: readonly ArrayBuffer[];
}

/** How work and answers of one kind travel between threads. */
export interface WorkCodec<Input, Output, PackedInput, PackedOutput> {
  /** The input stays as it is: it is packed again when a worker dies over it. */
  pack(input: Input): Parcel<PackedInput>;
  unpack(packed: PackedOutput, input: Input): Output;
}

/** From the pool to a worker. */
export type WorkerRequest<PackedInput> =
  /** The first request: load the model. */
  | { readonly kind: "load"; readonly setup: WorkerStart }
  /** The second: try the model, with this if it needs something. */
  | { readonly kind: "try"; readonly sample: unknown }
  | { readonly kind: "run"; readonly batchId: number; readonly packed: PackedInput }
  /** Finish what is queued, free the model, end. */
  | { readonly kind: "close" };

/** From a worker to the pool. The first reply is `loaded` or `loadFailed`; then one per `run`, in order. */
export type WorkerReply<Loaded, PackedOutput> =
  | { readonly kind: "loaded"; readonly loaded: Loaded }
  | { readonly kind: "loadFailed"; readonly error: WireError }
  | { readonly kind: "done"; readonly batchId: number; readonly packed: PackedOutput }
  | { readonly kind: "runFailed"; readonly batchId: number; readonly error: WireError };

/** A SluiceError as plain data: error classes do not survive the way between threads. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Stack or text of the cause, for logs. */
  readonly cause: string | undefined;
}

export function encodeError(error: SluiceError): WireError {
  const { code, message, cause } = error;
  if (cause === undefined) return { code, message, cause: undefined };
  return { code, message, cause: cause instanceof Error ? cause.stack : String(cause) };
}

export function decodeError({ code, message, cause }: WireError): SluiceError {
  return new SluiceError(code, message, cause === undefined ? {} : { cause });
}
