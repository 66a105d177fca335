import type { ErrorCode, FieldProblem } from "../../../core/errors.ts";
import { SluiceError, toSluiceError } from "../../../core/errors.ts";
import type { VectorStore } from "../../../core/ports/vector-store.ts";

/** What the store's thread is asked, and what it says. */

/** Methods of the port that the thread carries out. */
export type StoreMethod = Exclude<keyof VectorStore, "description">;

/** What the thread opens. */
export interface FileSetup {
  readonly path: string;
  /** How long to wait for another process that writes. */
  readonly busyTimeoutMs: number;
}

export interface StoreRequest {
  readonly id: number;
  readonly method: StoreMethod;
  readonly args: readonly unknown[];
}

/** `id` 0 is the answer to opening. */
export type StoreReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: EncodedError };

/** A SluiceError that can be sent between threads; its cause is told as text. */
export interface EncodedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly FieldProblem[];
  readonly cause: string;
}

export function encodeError(thrown: unknown): EncodedError {
  const { code, message, details, cause } = toSluiceError(thrown);
  return { code, message, details, cause: String(cause ?? "") };
}

export function decodeError({ code, message, details, cause }: EncodedError): SluiceError {
  return new SluiceError(code, message, { details, cause });
}
