import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  RequestOptions,
} from "node:http";
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { SluiceError } from "../../core/errors.ts";
import { toTransportError } from "./transport-error.ts";

/** How one server is talked to. */
export interface HttpClientOptions {
  /** `http://` or `https://`, with a path before every request's own if need be. */
  readonly baseUrl: string;
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds to open a connection, TLS included; > 0. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /** Bytes of an answer's body at most; > 0. Default 256 MiB. */
  readonly maxResponseBytes?: number;
  /** Connections that wait for the next request; ≥ 0. Default 64. */
  readonly maxIdleConnections?: number;
  /** Milliseconds after which a waiting connection is closed; > 0. Default 4,000: many servers close theirs after 5,000. */
  readonly idleTimeoutMs?: number;
  /** Certificates in PEM that sign the server's, when it is not a public authority. */
  readonly certificateAuthority?: string;
}

export interface HttpCall {
  readonly method: "GET" | "POST";
  /** After the base, with its leading slash and anything that needs it percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In one piece or several, which are sent one after the other. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** Milliseconds for everything; > 0. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Talks to one HTTP server over connections that it keeps. */
export interface HttpClient {
  /**
   * Sends one request and reads the whole answer, whatever its status. A kept connection that turns out to have been
   * closed by the server, before anything came back, costs one more try on a new one.
   *
   * @throws SluiceError `unavailable` when there is no connection or it broke; `deadline_exceeded`; `cancelled` when the
   * signal was aborted; `model_failed` when the answer is longer than allowed
   */
  send(call: HttpCall): Promise<HttpAnswer>;
  /** Closes the connections; requests that are under way fail. Idempotent. */
  close(): void;
}

const DEFAULTS = {
  connectTimeoutMs: 2_000,
  maxResponseBytes: 256 * 1_024 * 1_024,
  maxIdleConnections: 64,
  idleTimeoutMs: 4_000,
};

/** @throws SluiceError `invalid_argument` when the base is no HTTP address */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new Client(options);
}

class Client implements HttpClient {
  readonly #options: typeof DEFAULTS;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent;
  readonly #request: (options: RequestOptions) => ClientRequest;

  constructor(options: HttpClientOptions) {
    const { connectTimeoutMs, maxResponseBytes, maxIdleConnections, idleTimeoutMs } = options;
    this.#options = {
      connectTimeoutMs: connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
      maxResponseBytes: maxResponseBytes ?? DEFAULTS.maxResponseBytes,
      maxIdleConnections: maxIdleConnections ?? DEFAULTS.maxIdleConnections,
      idleTimeoutMs: idleTimeoutMs ?? DEFAULTS.idleTimeoutMs,
    };
    this.#base = parseBase(options.baseUrl);
    this.#headers = options.headers ?? {};
    // The last one used is the least likely to have been closed meanwhile.
    const agentOptions = {
      keepAlive: true,
      scheduling: "lifo",
      maxFreeSockets: this.#options.maxIdleConnections,
      // For connections that wait; requests have a timer of their own.
      timeout: this.#options.idleTimeoutMs,
    } as const;
    if (this.#base.protocol === "https:") {
      const ca = options.certificateAuthority;
      this.#agent = new HttpsAgent(ca === undefined ? agentOptions : { ...agentOptions, ca });
      this.#request = requestHttps;
    } else {
      this.#agent = new HttpAgent(agentOptions);
      this.#request = requestHttp;
    }
  }

  async send(call: HttpCall): Promise<HttpAnswer> {
    const startedMs = performance.now();
    try {
      return await this.#sendOnce(call, call.timeoutMs);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      // The server closed one that waited, so the others that wait are probably closed as well.
      for (const sockets of Object.values(this.#agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    }
    const restMs = call.timeoutMs - (performance.now() - startedMs);
    try {
      return await this.#sendOnce(call, Math.max(1, restMs));
    } catch (error) {
      throw error instanceof StaleConnection ? toTransportError(error.cause) : error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #sendOnce(call: HttpCall, timeoutMs: number): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    if (call.signal?.aborted) return Promise.reject(toCancelled());
    const request = this.#request(this.#toRequestOptions(call));
    let hasAnswer = false;
    const giveUp = (error: SluiceError) => {
      reject(error);
      request.destroy();
    };
    const onAbort = () => giveUp(toCancelled());
    const timer = setTimeout(() => giveUp(toTimeout()), timeoutMs);
    call.signal?.addEventListener("abort", onAbort, { once: true });
    watchConnecting(request, this.#options.connectTimeoutMs, giveUp);
    request.once("response", (response) => {
      hasAnswer = true;
      readBody(response, this.#options.maxResponseBytes).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        (error: unknown) => giveUp(toTransportError(error)),
      );
    });
    request.on("error", (error) => {
      const isStale = request.reusedSocket && !hasAnswer && isReset(error);
      reject(isStale ? new StaleConnection(error) : toTransportError(error));
    });
    for (const chunk of toChunks(call.body)) request.write(chunk);
    request.end();
    return promise.finally(() => {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", onAbort);
    });
  }

  #toRequestOptions({ method, path, headers, body }: HttpCall): RequestOptions {
    const { protocol, hostname, port, pathname } = this.#base;
    const length = toChunks(body).reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
    return {
      agent: this.#agent,
      protocol,
      hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
      ...(port === "" ? {} : { port }),
      path: `${pathname.replace(/\/$/, "")}${path}`,
      method,
      headers: {
        ...this.#headers,
        ...headers,
        ...(method === "POST" ? { "content-length": String(length) } : {}),
      },
    };
  }
}

function toChunks(body: HttpCall["body"]): readonly (string | Uint8Array)[] {
  if (body === undefined) return [];
  return typeof body === "string" || body instanceof Uint8Array ? [body] : body;
}

/** A kept connection was closed by the server before it said anything to this request. */
class StaleConnection extends Error {
  constructor(cause: unknown) {
    super("The connection was closed while it waited.", { cause });
  }
}

function isReset(error: Error & { readonly code?: unknown }): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

function parseBase(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new SluiceError(
    "invalid_argument",
    "The URL of a server must begin with http:// or https:// and name a host.",
  );
}

function watchConnecting(
  request: ClientRequest,
  connectTimeoutMs: number,
  giveUp: (error: SluiceError) => void,
): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      giveUp(new SluiceError("unavailable", "The model's server accepts no connection in time."));
    }, connectTimeoutMs);
    const stop = () => clearTimeout(timer);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", stop);
    socket.once("close", stop);
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (Number(response.headers["content-length"] ?? 0) > maxBytes) throw toTooLong(maxBytes);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw toTooLong(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}

function toTooLong(maxBytes: number): SluiceError {
  return new SluiceError(
    "model_failed",
    `The model's server answered with more than ${maxBytes} bytes, which is the limit.`,
  );
}

function toCancelled(): SluiceError {
  return new SluiceError("cancelled", "The request to the model's server was cancelled.");
}

function toTimeout(): SluiceError {
  return new SluiceError("deadline_exceeded", "The model's server did not answer in time.");
}
