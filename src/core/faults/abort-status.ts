import type { ErrorCode } from "../errors.ts";

/** A status that an abort may be answered with over gRPC: its number, and the error that it stands for elsewhere. */
export interface AbortStatus {
  readonly number: number;
  readonly code: ErrorCode;
}

/**
 * Statuses of gRPC by their names, without OK. `INTERNAL` and its kin stand for a model that failed: `internal` is a bug
 * of ours, which the log would call one.
 */
export const GRPC_STATUSES: ReadonlyMap<string, AbortStatus> = new Map([
  ["CANCELLED", { number: 1, code: "cancelled" }],
  ["UNKNOWN", { number: 2, code: "model_failed" }],
  ["INVALID_ARGUMENT", { number: 3, code: "invalid_argument" }],
  ["DEADLINE_EXCEEDED", { number: 4, code: "deadline_exceeded" }],
  ["NOT_FOUND", { number: 5, code: "not_found" }],
  ["ALREADY_EXISTS", { number: 6, code: "conflict" }],
  ["PERMISSION_DENIED", { number: 7, code: "permission_denied" }],
  ["RESOURCE_EXHAUSTED", { number: 8, code: "overloaded" }],
  ["FAILED_PRECONDITION", { number: 9, code: "conflict" }],
  ["ABORTED", { number: 10, code: "conflict" }],
  ["OUT_OF_RANGE", { number: 11, code: "invalid_argument" }],
  ["UNIMPLEMENTED", { number: 12, code: "method_not_allowed" }],
  ["INTERNAL", { number: 13, code: "model_failed" }],
  ["UNAVAILABLE", { number: 14, code: "unavailable" }],
  ["DATA_LOSS", { number: 15, code: "model_failed" }],
  ["UNAUTHENTICATED", { number: 16, code: "unauthenticated" }],
]);

const HTTP_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [401, "unauthenticated"],
  [403, "permission_denied"],
  [404, "not_found"],
  [405, "method_not_allowed"],
  [409, "conflict"],
  [413, "too_large"],
  [415, "unsupported_media_type"],
  [424, "model_failed"],
  [429, "overloaded"],
  [499, "cancelled"],
  [503, "unavailable"],
  [504, "deadline_exceeded"],
]);

/** The error that a status of HTTP stands for in bodies, and over gRPC. @param status 400 to 599 */
export function toAbortCode(status: number): ErrorCode {
  return HTTP_CODES.get(status) ?? (status < 500 ? "invalid_argument" : "model_failed");
}
