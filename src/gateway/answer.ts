import type { ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ErrorCode } from "../core/errors.ts";
import { SluiceError, toSluiceError } from "../core/errors.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { RawHeaders } from "./answer-headers.ts";
import { createAnswerHeaders } from "./answer-headers.ts";

/** An answer that is complete but for the headers that all answers share. */
export interface Answer {
  readonly status: number;
  /** Empty where there is no body: nothing is of no type. */
  readonly contentType: string;
  /** Text, or bytes: in pieces where joining them would only copy. */
  readonly body: string | readonly Uint8Array[];
  readonly headers?: RawHeaders;
}

/** An answer whose parts leave as they come. */
export interface StreamedAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Ended early when the client goes away. What goes wrong on the way it has to say itself: the status has left. */
  readonly parts: AsyncIterable<string>;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** @param body JSON, already written */
export function jsonAnswer(status: number, body: string): Answer {
  return { status, contentType: JSON_TYPE, body };
}

/** What the gateway reports about each answer. */
export interface HttpObserver {
  answered(request: FastifyRequest, status: number, durationMs: number): void;
}

/** Sends answers: the one place where a response is written. */
export interface Answerer {
  send(request: FastifyRequest, reply: FastifyReply, answer: Answer): void;
  /** Settles when the last part has left, or the client has. */
  stream(request: FastifyRequest, reply: FastifyReply, answer: StreamedAnswer): Promise<void>;
  /** Sends the error that `thrown` stands for, with its status and the headers that go with it. */
  fail(request: FastifyRequest, reply: FastifyReply, thrown: SluiceError): void;
}

export interface AnswererOptions {
  readonly clock: Pick<Clock, "nowMs" | "defer">;
  readonly isDraining: () => boolean;
  readonly observer: HttpObserver;
}

/** Bytes of a body. */
function lengthOf(body: Answer["body"]): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body.reduce((sum, piece) => sum + piece.byteLength, 0);
}

function end(response: ServerResponse, body: Answer["body"]): void {
  if (typeof body === "string") {
    response.end(body);
    return;
  }
  for (const piece of body) response.write(piece);
  response.end();
}

/** An answer that waits for the end of the event-loop turn. */
interface Outgoing {
  readonly response: ServerResponse;
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Answer["body"];
}

/**
 * Creates the answerer. It writes to the socket itself instead of handing headers to the framework, which saves a
 * third of the whole cost of a cheap request.
 *
 * Answers of one event-loop turn are written together at its end. A client that sleeps between two answers has to be
 * woken for each, and the kernel does that inside the server's write; back to back, one wake-up serves many.
 */
export function createAnswerer(options: AnswererOptions): Answerer {
  const { clock } = options;
  let outgoing: Outgoing[] = [];
  const flush = () => {
    const ready = outgoing;
    outgoing = [];
    for (const { response, status, headers, body } of ready) {
      response.writeHead(status, headers);
      end(response, body);
    }
  };
  const send: Answerer["send"] = (request, reply, { status, contentType, body, headers }) => {
    const nowMs = clock.nowMs();
    const all = createAnswerHeaders(request, nowMs);
    if (contentType !== "") all.push("content-type", contentType);
    all.push("content-length", String(lengthOf(body)));
    if (headers !== undefined) all.push(...headers);
    if (options.isDraining()) all.push("connection", "close");
    reply.hijack();
    if (outgoing.length === 0) clock.defer(flush);
    outgoing.push({ response: reply.raw, status, headers: all, body });
    options.observer.answered(request, status, nowMs - request.context.startedMs);
  };
  const stream: Answerer["stream"] = async (request, reply, { status, contentType, parts }) => {
    const all = createAnswerHeaders(request, clock.nowMs());
    all.push("content-type", contentType);
    // Between parts minutes may pass, and a proxy that gathers them would undo the streaming.
    all.push("x-accel-buffering", "no");
    if (options.isDraining()) all.push("connection", "close");
    reply.hijack();
    const response = reply.raw;
    response.writeHead(status, all);
    await writeParts(response, parts);
    options.observer.answered(request, status, clock.nowMs() - request.context.startedMs);
  };
  return {
    send,
    stream,
    fail: (request, reply, error) => {
      const encoded = request.context.encodeError(error, request.id);
      const { body, contentType = JSON_TYPE } = encoded;
      const status = error.injected?.httpStatus ?? encoded.status;
      send(request, reply, { status, contentType, body, headers: errorHeaders(error) });
    },
  };
}

/** Waits for a slow client instead of keeping what it has not read yet. */
async function writeParts(response: ServerResponse, parts: AsyncIterable<string>): Promise<void> {
  for await (const part of parts) {
    if (response.destroyed) break;
    if (!response.write(part)) await drained(response);
  }
  response.end();
}

/** Resolves when more may be written, or nobody is there to read it. */
function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

function errorHeaders(error: SluiceError): RawHeaders {
  if (error.retryAfterMs !== undefined) {
    return ["retry-after", String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)))];
  }
  return error.code === "unauthenticated" ? ["www-authenticate", 'Bearer realm="sluice"'] : [];
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
