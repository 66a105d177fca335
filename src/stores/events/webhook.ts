import type { IncomingMessage, OutgoingHttpHeaders, RequestOptions } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { SluiceError } from "../../core/errors.ts";
import type { CloudEvent } from "../../core/events/cloud-event.ts";
import type { DeliveryOutcome, EventDestination } from "../../core/ports/event-destination.ts";
import type { AddressRules, ResolveName } from "../http/guard-address.ts";
import {
  AddressRefusedError,
  createGuardedLookup,
  parseGuardedUrl,
} from "../http/guard-address.ts";
import { isWebhookSecret, signWebhook } from "./sign-webhook.ts";

export interface WebhookOptions extends AddressRules {
  readonly url: string;
  /** `whsec_…`; one signature each. Without any, nothing is signed. */
  readonly secrets: readonly string[];
  /** For an attempt as a whole: name, connection, answer. */
  readonly timeoutMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
  /** Certificates in PEM that sign the receiver's, when it is not a public authority. */
  readonly certificateAuthority?: string;
  /** How names are resolved; by default as the machine does. */
  readonly resolve?: ResolveName;
}

/** What is read of an answer before the connection is closed; nothing of it is kept. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * Sends events to one address: CloudEvents in structured mode (HTTP protocol binding 1.0.2), signed as Standard Webhooks wants
 * it. Any 2xx is success, redirects are not followed, 410 is final. Every attempt has a connection of its own, whose
 * address was checked.
 *
 * @throws SluiceError `invalid_argument` when the address is not allowed or a secret is none
 */
export function createWebhookDestination(options: WebhookOptions): EventDestination {
  const url = parseGuardedUrl(options.url, "url", options);
  if (!options.secrets.every(isWebhookSecret)) {
    const problem = "must be whsec_ and base64 of at least 16 bytes";
    const details = [{ field: "secrets", problem }];
    throw new SluiceError("invalid_argument", `A webhook's secret ${problem}.`, { details });
  }
  const lookup = createGuardedLookup(options, options.resolve);
  const ends = new Set<() => void>();
  let isClosed = false;
  return {
    // Paths of webhooks are often secrets themselves.
    description: `webhook at ${url.origin}`,
    send: (event) => {
      if (isClosed) return Promise.resolve(toFailure("the server is stopping"));
      const body = JSON.stringify(event);
      const headers = toHeaders(event, body, options);
      const { certificateAuthority: ca, timeoutMs, epochMs } = options;
      const settings: RequestOptions & { readonly ca?: string } = {
        ...{ method: "POST", headers, lookup, agent: false },
        ...(ca !== undefined && { ca }),
      };
      return post(url, settings, { body, timeoutMs, epochMs, ends });
    },
    close: async () => {
      isClosed = true;
      for (const end of [...ends]) end();
    },
  };
}

function toHeaders(
  event: CloudEvent,
  body: string,
  { secrets, epochMs }: WebhookOptions,
): OutgoingHttpHeaders {
  const timestampSeconds = Math.floor(epochMs() / 1000);
  const { id } = event;
  return {
    "content-type": "application/cloudevents+json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "user-agent": "sluice",
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    ...(secrets.length > 0 && {
      "webhook-signature": signWebhook({ id, timestampSeconds, body }, secrets),
    }),
  };
}

/** One request to a receiver. */
export interface Post {
  readonly body: string;
  readonly timeoutMs: number;
  readonly epochMs: () => number;
  /** Gets a function that ends the attempt, for as long as it goes on. */
  readonly ends: Set<() => void>;
}

/** Sends a body once. Any 2xx is success, redirects are not followed. Never rejects. */
export function post(
  url: URL,
  settings: RequestOptions,
  { body, timeoutMs, epochMs, ends }: Post,
): Promise<DeliveryOutcome> {
  return new Promise((resolve) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, settings);
    let answer: DeliveryOutcome | undefined;
    const finish = (outcome: DeliveryOutcome) => {
      clearTimeout(timer);
      ends.delete(stop);
      // What the receiver has said stands, however the rest of its answer goes.
      resolve(answer ?? outcome);
      request.destroy();
    };
    const stop = () => finish(toFailure("the server is stopping"));
    const timer = setTimeout(() => finish(toFailure(`no answer in ${timeoutMs} ms`)), timeoutMs);
    ends.add(stop);
    request.on("error", (error) => finish(toRequestFailure(error)));
    request.on("response", (response) => {
      const outcome = toOutcome(response, epochMs());
      answer = outcome;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) finish(outcome);
      });
      response.on("end", () => finish(outcome));
      response.on("error", () => finish(outcome));
      response.on("close", () => finish(outcome));
    });
    request.end(body);
  });
}

/** What an answer means. The body is none of our business. */
function toOutcome({ statusCode = 0, headers }: IncomingMessage, nowMs: number): DeliveryOutcome {
  if (statusCode >= 200 && statusCode < 300) return { kind: "delivered" };
  if (statusCode === 410) return { ...toFailure("the receiver answered 410"), isFinal: true };
  if (statusCode >= 300 && statusCode < 400) {
    return toFailure(`the receiver answered ${statusCode}; redirects are not followed`);
  }
  const asksToWait = statusCode === 429 || statusCode === 503;
  return {
    ...toFailure(`the receiver answered ${statusCode}`),
    retryAfterMs: asksToWait ? parseRetryAfter(headers["retry-after"], nowMs) : undefined,
  };
}

/**
 * Reads `Retry-After` (RFC 9110, section 10.2.3): seconds or a date.
 *
 * @returns milliseconds from now, ≥ 0; undefined when there is nothing to read
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Dates have a day's name first; without it, Date.parse would read all kinds of things.
  if (!/^[A-Z][a-z]{2,8}, /.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function toRequestFailure(error: Error): DeliveryOutcome {
  if (error instanceof AddressRefusedError) return { ...toFailure(error.message), isFinal: true };
  const code = "code" in error && typeof error.code === "string" ? error.code : "broken off";
  return toFailure(`no connection (${code})`);
}

function toFailure(reason: string): DeliveryOutcome & { readonly kind: "failed" } {
  return { kind: "failed", reason, isFinal: false, retryAfterMs: undefined };
}
