import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { SluiceError } from "../core/errors.ts";

/** A request as it is to appear on the wire. */
export interface RawRequest {
  readonly method: string;
  /** Below the base address, with its leading slash; sent as it is. */
  readonly path: string;
  /** Nothing is added to these but `Host`, `Connection`, `Content-Length` and, where there is one, the key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What came back, nothing undone or parsed. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends one request on a connection of its own. */
export type Send = (request: RawRequest) => Promise<RawAnswer>;

export interface RawHttpOptions {
  /** `http://host:port`, or `https`, perhaps with a path in front of all others. */
  readonly url: URL;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** Longer answers are given up. */
  readonly maxAnswerBytes: number;
  /** Sent as `Authorization: Bearer …`. */
  readonly key?: string;
}

/**
 * A client without opinions: it sends what it is given, follows nothing, repeats nothing, and gives up in time.
 * The promise is rejected with `unavailable` (no connection, or one that ended early), `deadline_exceeded`, or
 * `too_large` for an answer beyond the limit.
 */
export function createSend(options: RawHttpOptions): Send {
  const base = options.url.pathname.replace(/\/+$/, "");
  const open = options.url.protocol === "https:" ? requestHttps : requestHttp;
  return ({ method, path, headers = {}, body }) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.from(body);
      const call = open({
        host: options.url.hostname.replace(/^\[|\]$/g, ""),
        port: options.url.port === "" ? undefined : options.url.port,
        method,
        path: `${base}${path}`,
        agent: false,
        headers: {
          ...(options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` }),
          // A POST without a length would be sent in chunks.
          ...(bytes === undefined && method !== "POST"
            ? {}
            : { "Content-Length": `${bytes?.length ?? 0}` }),
          ...headers,
        },
      });
      const timer = setTimeout(() => {
        call.destroy(
          new SluiceError("deadline_exceeded", `no answer within ${options.timeoutMs} ms`),
        );
      }, options.timeoutMs);
      call.on("response", (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > options.maxAnswerBytes) {
            answer.destroy(
              new SluiceError(
                "too_large",
                `an answer of more than ${options.maxAnswerBytes} bytes`,
              ),
            );
          }
        });
        answer.on("end", () => {
          clearTimeout(timer);
          resolve({
            status: answer.statusCode ?? 0,
            headers: joinHeaders(answer.headers),
            body: Buffer.concat(chunks),
          });
        });
        answer.on("error", (error) => {
          clearTimeout(timer);
          reject(toFailure(error));
        });
      });
      call.on("error", (error) => {
        clearTimeout(timer);
        reject(toFailure(error));
      });
      call.end(bytes);
    });
}

function toFailure(error: Error): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
  return new SluiceError("unavailable", `the connection ended without an answer (${code})`, {
    cause: error,
  });
}

function joinHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? value : (value ?? []).join(", "),
    ]),
  );
}
