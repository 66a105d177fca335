import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ErrorCode } from "../core/errors.ts";
import { SluiceError, toSluiceError } from "../core/errors.ts";
import { encodeError } from "../protocols/native/encode-error.ts";
import { WIRE_STATUS } from "../protocols/status.ts";

/** Sends `error` as an answer, with its status and the headers that go with it. */
export function answerError(
  error: SluiceError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error.retryAfterMs !== undefined) {
    reply.header("retry-after", Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  }
  if (error.code === "unauthenticated") reply.header("www-authenticate", 'Bearer realm="sluice"');
  return reply
    .code(WIRE_STATUS[error.code].http)
    .header("content-type", "application/json; charset=utf-8")
    .send(encodeError(error, request.id));
}

/** Faults that the HTTP layer finds by itself, by the status that it gives them. */
const HTTP_FAULTS: Readonly<Record<number, { code: ErrorCode; message: string }>> = {
  413: { code: "too_large", message: "The body is larger than this server accepts." },
  415: {
    code: "unsupported_media_type",
    message: "Send the body as JSON, with the header 'Content-Type: application/json'.",
  },
};

/** Turns whatever was thrown while a request was handled into the error that its caller sees. */
export function describeHttpFault(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const status = statusOf(thrown);
  const fault = HTTP_FAULTS[status];
  if (fault !== undefined) return new SluiceError(fault.code, fault.message, { cause: thrown });
  if (status >= 400 && status < 500) {
    const message = `Invalid request: ${STATUS_CODES[status] ?? "bad request"}.`;
    return new SluiceError("invalid_argument", message, { cause: thrown });
  }
  return toSluiceError(thrown);
}

function statusOf(thrown: unknown): number {
  if (typeof thrown !== "object" || thrown === null || !("statusCode" in thrown)) return 500;
  return typeof thrown.statusCode === "number" ? thrown.statusCode : 500;
}
