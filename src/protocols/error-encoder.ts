import type { SluiceError } from "../core/errors.ts";

/** An error as one dialect writes it. */
export interface EncodedError {
  readonly status: number;
  /** JSON, or empty where the dialect says nothing. */
  readonly body: string;
  /** JSON with its charset unless said otherwise; empty beside an empty body. */
  readonly contentType?: string;
}

/**
 * Writes errors in the terms of a dialect. Every address of a dialect answers with its own, also when the caller was
 * turned away before its request was read.
 */
export type ErrorEncoder = (error: SluiceError, requestId: string) => EncodedError;
