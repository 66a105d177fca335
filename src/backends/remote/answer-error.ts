import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { HttpAnswer } from "./http-client.ts";

/** Longer messages are cut: they go to callers and into logs. */
const MAX_MESSAGE = 500;

/**
 * What the error statuses of model servers mean to one who asks on behalf of callers. What is about the request stays
 * what it is. That a server does not have the model, or not yet, is nothing that its callers can help, and another
 * server may have it. That it does not know us is nothing that another server would change.
 *
 * Sources: the status tables of Triton (`src/http_server.cc`), TensorFlow Serving (`util/net_http`), KServe and MLServer.
 */
const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_argument",
  401: "model_failed",
  403: "model_failed",
  404: "unavailable",
  405: "model_failed",
  408: "deadline_exceeded",
  409: "unavailable",
  413: "too_large",
  415: "model_failed",
  422: "invalid_argument",
  424: "model_failed",
  429: "overloaded",
  499: "unavailable",
  500: "model_failed",
  501: "model_failed",
  502: "unavailable",
  503: "unavailable",
  504: "deadline_exceeded",
};

/** The same by the canonical numbers of gRPC: https://grpc.io/docs/guides/status-codes/ */
const GRPC_CODES: Readonly<Record<number, ErrorCode>> = {
  1: "unavailable",
  2: "model_failed",
  3: "invalid_argument",
  4: "deadline_exceeded",
  5: "unavailable",
  6: "model_failed",
  7: "model_failed",
  8: "overloaded",
  9: "model_failed",
  10: "unavailable",
  11: "invalid_argument",
  12: "model_failed",
  13: "model_failed",
  14: "unavailable",
  15: "model_failed",
  16: "model_failed",
};

/** What is said in place of the server's words, which would puzzle callers. */
const HTTP_MESSAGES: Readonly<Record<number, string>> = {
  401: "The model's server does not accept this server's credentials.",
  403: "The model's server does not accept this server's credentials.",
};
const GRPC_MESSAGES: Readonly<Record<number, string>> = {
  7: "The model's server does not accept this server's credentials.",
  16: "The model's server does not accept this server's credentials.",
};

/**
 * What an answer other than 2xx means. Its `error` passes through as it is. Pure.
 *
 * A status of 502 with an error in JSON was written by a model server about its model; without one it comes from a proxy
 * that found no server.
 */
export function toHttpError({ status, headers, body }: HttpAnswer): SluiceError {
  const said = readError(body);
  const code = status === 502 && said !== undefined ? "model_failed" : toHttpCode(status);
  const message = HTTP_MESSAGES[status] ?? said ?? `The model's server answered ${status}.`;
  return new SluiceError(code, message, toRetryAfter(headers["retry-after"]));
}

function toHttpCode(status: number): ErrorCode {
  const known = HTTP_CODES[status];
  if (known !== undefined) return known;
  if (status >= 500 || status < 400) return "unavailable";
  return "invalid_argument";
}

/** What a status of gRPC means. Its text passes through as it is. Pure. */
export function toGrpcError(status: number, details: string, cause?: unknown): SluiceError {
  const message = GRPC_MESSAGES[status] ?? cut(details) ?? "The model's server failed.";
  return new SluiceError(GRPC_CODES[status] ?? "model_failed", message, { cause });
}

/** `{"error": "…"}`, as all of them say it, or `{"error": {"message": "…"}}` and `{"detail": "…"}`, as proxies do. */
function readError(body: Buffer): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  const error = readMember(value, "error") ?? readMember(value, "detail");
  const text = typeof error === "string" ? error : readMember(error, "message");
  return typeof text === "string" ? cut(text) : undefined;
}

function readMember(value: unknown, name: "error" | "detail" | "message"): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function cut(text: string): string | undefined {
  if (text === "") return undefined;
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
}

function toRetryAfter(header: string | undefined): { readonly retryAfterMs?: number } {
  const seconds = Number(header ?? Number.NaN);
  return seconds > 0 && Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
}
