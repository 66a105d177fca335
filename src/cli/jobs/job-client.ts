import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { AskedServer, AskOptions } from "../ask-server.ts";
import { postJson } from "./post-json.ts";
import type { SourceFields } from "./to-source.ts";

/** A job as the server describes it; what the commands need of it. */
export interface WireJob {
  readonly id: string;
  readonly state: string;
  readonly model: string | null;
  readonly rows: { readonly total: number; readonly done: number; readonly failed: number };
  readonly progress: number;
  readonly rows_per_second: number | null;
  readonly eta_seconds: number | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly failure: string | null;
}

export interface JobFile {
  readonly path: string;
  readonly contentType: string;
  readonly isCompressed: boolean;
}

/** The jobs of a server, over HTTP. Every method throws a SluiceError with the server's own reason. */
export interface JobClient {
  /** @param query fields of the job beside its rows */
  submit(
    file: JobFile,
    query: URLSearchParams,
    idempotencyKey: string | undefined,
  ): Promise<WireJob>;
  /** Has the server fetch the rows. @param body fields of the job, `source` among them */
  submitSource(
    body: { readonly source: SourceFields },
    idempotencyKey: string | undefined,
  ): Promise<WireJob>;
  find(id: string): Promise<WireJob>;
  list(limit: number): Promise<readonly WireJob[]>;
  act(id: string, action: "cancel" | "retry"): Promise<WireJob>;
  remove(id: string): Promise<void>;
  results(id: string, format: "ndjson" | "csv"): Promise<Readable>;
}

/** The jobs of one server. */
export function createJobClient({ url, authorization, check, ask }: AskedServer): JobClient {
  const job = async (path: string, init?: AskOptions) =>
    (await (await ask(path, init)).json()) as WireJob;
  const at = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
  return {
    submit: ({ path, contentType, isCompressed }, query, idempotencyKey) =>
      job(`/v1/jobs?${query}`, {
        method: "POST",
        headers: {
          "content-type": contentType,
          ...(isCompressed && { "content-encoding": "gzip" }),
          ...toKeyHeader(idempotencyKey),
        },
        body: Readable.toWeb(createReadStream(path)) as ReadableStream,
        duplex: "half",
      }),
    submitSource: async (body, idempotencyKey) => {
      const headers = { ...authorization, ...toKeyHeader(idempotencyKey) };
      const response = await check(postJson(new URL("/v1/jobs", url), body, headers));
      return (await response.json()) as WireJob;
    },
    find: (id) => job(at(id)),
    list: async (limit) => {
      const response = await ask(`/v1/jobs?limit=${limit}`);
      const { jobs } = (await response.json()) as { readonly jobs: readonly WireJob[] };
      return jobs;
    },
    act: (id, action) => job(`${at(id)}/${action}`, { method: "POST" }),
    remove: async (id) => {
      await ask(at(id), { method: "DELETE" });
    },
    results: async (id, format) => {
      const { body } = await ask(`${at(id)}/results?format=${format}`);
      return body === null ? Readable.from([]) : Readable.fromWeb(body);
    },
  };
}

function toKeyHeader(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { "idempotency-key": key };
}
