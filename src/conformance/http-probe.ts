import type { IncomingHttpHeaders } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { SluiceError } from "../core/errors.ts";

/** A request of which every byte and header is the caller's own. */
export interface ProbeRequest {
  readonly method?: string;
  /** With its leading slash, as it goes out. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface ProbeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as text. */
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** Sends requests that no well-meant client would. */
export interface HttpProbe {
  /**
   * @throws SluiceError `unavailable` when nothing answers, `deadline_exceeded` when nothing comes in time. Any answer
   * is an answer.
   */
  send(request: ProbeRequest): Promise<ProbeAnswer>;
}

export interface HttpProbeOptions {
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly key?: string | undefined;
  readonly timeoutMs: number;
}

/** Answers beyond this are no answers to what is asked here. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** @throws SluiceError `invalid_argument` when the address is none */
export function createHttpProbe({ url, key, timeoutMs }: HttpProbeOptions): HttpProbe {
  const base = parseUrl(url);
  const authorization: Record<string, string> =
    key === undefined ? {} : { authorization: `Bearer ${key}` };
  return {
    send: ({ method = "GET", path, headers = {}, body }) =>
      new Promise((resolve, reject) => {
        const send = base.protocol === "https:" ? requestHttps : requestHttp;
        const length =
          body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const sent = send(
          {
            hostname: base.hostname.replace(/^\[|\]$/g, ""),
            port: base.port,
            method,
            path: base.pathname.replace(/\/$/, "") + path,
            headers: { ...authorization, ...length, ...headers },
            signal: AbortSignal.timeout(timeoutMs),
          },
          (answer) => {
            const chunks: Buffer[] = [];
            let size = 0;
            answer.on("data", (chunk: Buffer) => {
              chunks.push(chunk);
              size += chunk.length;
              if (size > MAX_ANSWER_BYTES) answer.destroy(new Error("The answer has no end."));
            });
            answer.on("error", (error) => reject(toProblem(error, url)));
            answer.on("end", () => {
              const bytes = Buffer.concat(chunks);
              const text = bytes.toString("utf8");
              resolve({
                status: answer.statusCode ?? 0,
                headers: answer.headers,
                bytes,
                text,
                json: parseJson(text),
              });
            });
          },
        );
        sent.on("error", (error) => reject(toProblem(error, url)));
        sent.end(body);
      }),
  };
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  const problem = "must be an address such as http://127.0.0.1:8000";
  throw new SluiceError("invalid_argument", `url ${problem}.`, {
    details: [{ field: "url", problem }],
  });
}

function toProblem(error: Error, url: string): SluiceError {
  if (error.name === "TimeoutError" || error.name === "AbortError") {
    return new SluiceError("deadline_exceeded", "No answer came in time.", { cause: error });
  }
  return new SluiceError("unavailable", `Nothing answers at ${url}: ${error.message}.`, {
    cause: error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
