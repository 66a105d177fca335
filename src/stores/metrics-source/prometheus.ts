import { SluiceError } from "../../core/errors.ts";
import type { MetricsSource } from "../../core/ports/metrics-source.ts";

export interface PrometheusOptions {
  /** Without `/api/v1/query`, e.g. `http://prometheus:9090`. */
  readonly url: string;
  /** Empty = none. */
  readonly token: string;
  readonly timeoutMs: number;
}

/** Answers of one number are short; what is longer is a mistake. */
const MAX_ANSWER_BYTES = 1_000_000;

/**
 * A server with Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api: instant queries, by POST,
 * so that queries may be long). Redirects are not followed: the token is for this server.
 */
export function createPrometheusSource({
  url,
  token,
  timeoutMs,
}: PrometheusOptions): MetricsSource {
  const address = `${url.replace(/\/+$/, "")}/api/v1/query`;
  const authorization: Record<string, string> =
    token === "" ? {} : { authorization: `Bearer ${token}` };
  return {
    description: `PromQL, ${new URL(url).host}`,
    ask: async (query) => {
      const { status, text } = await post(address, query, { authorization, timeoutMs });
      return readNumber(status, text);
    },
  };
}

async function post(
  address: string,
  query: string,
  options: { readonly authorization: Record<string, string>; readonly timeoutMs: number },
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: options.authorization,
      body: new URLSearchParams({ query }),
      redirect: "error",
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const text = await readText(response);
    return { status: response.status, text };
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const reason = describe(cause, options.timeoutMs);
    const fix = "see releases.metricsUrl";
    throw new SluiceError("unavailable", `The server of metrics ${reason}; ${fix}.`, { cause });
  }
}

async function readText({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.byteLength;
    if (size > MAX_ANSWER_BYTES) throw refused("its answer is longer than any number");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function describe(cause: unknown, timeoutMs: number): string {
  if (!(cause instanceof Error)) return "cannot be reached";
  if (cause.name === "TimeoutError") return `did not answer within ${timeoutMs} ms`;
  const { cause: inner } = cause;
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : inner;
  return `cannot be reached (${code instanceof Error ? code.message : (code ?? cause.message)})`;
}

/** The form of an answer, as far as it is looked at. */
interface Answer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

function readNumber(status: number, text: string): number | null {
  const answer = parse(text);
  if (answer === undefined) {
    if (status === 401 || status === 403) throw refused("it wants a token: releases.metricsToken");
    throw refused(`it answered with status ${status} and no JSON: is this its address?`);
  }
  if (answer.status !== "success") throw refused(String(answer.error ?? `status ${status}`));
  const { resultType, result } = answer.data ?? {};
  if (resultType === "scalar") return toNumber(result);
  if (resultType !== "vector" || !Array.isArray(result)) {
    throw refused(`the query gives a ${String(resultType)}, and one number is wanted`);
  }
  if (result.length > 1) {
    throw refused(`the query gives ${result.length} numbers, and one is wanted; sum() them up`);
  }
  return toNumber((result[0] as { readonly value?: unknown } | undefined)?.value);
}

/** `[<time>, "<number>"]`; nothing when there is no such series. */
function toNumber(sample: unknown): number | null {
  if (!Array.isArray(sample)) return null;
  const text = String(sample[1]);
  const value =
    text === "+Inf"
      ? Number.POSITIVE_INFINITY
      : text === "-Inf"
        ? Number.NEGATIVE_INFINITY
        : Number(text);
  return Number.isNaN(value) ? null : value;
}

function parse(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

function refused(reason: string): SluiceError {
  return new SluiceError("invalid_argument", `The server of metrics gave no number: ${reason}.`);
}
