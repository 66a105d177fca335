import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { createLastingFault, describeTransferFault } from "./fetch-fault.ts";

export interface WebRequest {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** What is asked for, to begin sentences of messages with. Never holds a secret. */
  readonly what: string;
}

export interface WebAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read or destroyed. */
  readonly body: Readable;
}

export interface WebOptions {
  /** How long the other side may be silent, in milliseconds. */
  readonly timeoutMs: number;
  /** Redirects that are followed. */
  readonly maxRedirects: number;
  readonly signal: AbortSignal;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Headers that another server may see than the one that the operator has named. */
const HARMLESS: ReadonlySet<string> = new Set(["range", "if-range"]);

/**
 * Asks a server that the operator has named, and those that it sends to. Never from https to http; headers of the operator's
 * stay with the first server.
 *
 * @throws SluiceError `PassingFault` when nobody answers
 */
export async function askWeb(request: WebRequest, options: WebOptions): Promise<WebAnswer> {
  let { url, headers } = request;
  for (let redirects = 0; ; redirects++) {
    const response = await send({ ...request, url, headers }, options);
    const { statusCode: status = 0, headers: answered } = response;
    const { location } = answered;
    if (options.maxRedirects === 0 || !REDIRECTS.has(status) || location === undefined) {
      return { status, headers: answered, body: response };
    }
    response.destroy();
    if (redirects === options.maxRedirects) {
      throw createLastingFault(
        `${request.what} redirects more than ${options.maxRedirects} times.`,
      );
    }
    const next = follow(request.what, url, location);
    if (next.origin !== url.origin) headers = keepHarmless(headers);
    url = next;
  }
}

function follow(what: string, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) {
    throw createLastingFault(`${what} redirects to something that is no address.`);
  }
  const next = new URL(location, from.href);
  if (next.protocol !== "https:" && (next.protocol !== "http:" || from.protocol === "https:")) {
    throw createLastingFault(`${what} redirects from ${from.protocol} to ${next.protocol}.`);
  }
  return next;
}

function keepHarmless(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => HARMLESS.has(name.toLowerCase())),
  );
}

function send(
  { method, url, headers, what }: WebRequest,
  { timeoutMs, signal }: WebOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const make = url.protocol === "https:" ? requestHttps : requestHttp;
    const sent = { "user-agent": "sluice", "accept-encoding": "identity", ...headers };
    const request = make(url, { method, headers: sent, agent: false, signal });
    request.setTimeout(timeoutMs, () => {
      const reason = `was silent for ${timeoutMs} ms (models.fetching.timeoutMs)`;
      request.destroy(describeTransferFault(what, reason, undefined));
    });
    request.on("error", (thrown) => {
      reject(describeTransferFault(what, "cannot be reached", thrown));
    });
    request.on("response", resolve);
    request.end();
  });
}
