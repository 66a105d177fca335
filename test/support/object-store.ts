import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ScriptedHttpServer } from "./scripted-http-server.ts";
import { startScriptedHttpServer } from "./scripted-http-server.ts";
import { computeSignature } from "./signature-v4.ts";

export const STORE_KEYS = {
  accessKeyId: "AKIAEXAMPLE",
  secretAccessKey: "a/secret+key",
} as const;

export interface ObjectStoreOptions {
  /** Whoever does not sign with them is refused; undefined = everybody may read. */
  readonly keys?: typeof STORE_KEYS | undefined;
  /** Objects on one page of a list. */
  readonly pageSize?: number;
}

/** What goes wrong with the next requests for objects. */
export interface StoreFaults {
  /** Answers before all is well that break off after so many bytes of what was asked for. */
  breaks: { readonly after: number; times: number };
  /** Requests, of lists too, that are answered with 503. */
  refusals: number;
  /** Milliseconds between pieces of `pieceBytes`. */
  pauseMs: number;
  /** Objects answer with a byte changed. */
  isLying: boolean;
}

/** A server that speaks as Amazon S3 does, as far as reading goes, with its objects in memory. */
export class ObjectStore {
  readonly faults: StoreFaults = {
    breaks: { after: 0, times: 0 },
    refusals: 0,
    pauseMs: 0,
    isLying: false,
  };
  /** Ranges that were asked for, of all objects. */
  readonly ranges: string[] = [];
  readonly #buckets = new Map<string, Map<string, Buffer>>();
  readonly #options: ObjectStoreOptions;
  #server: ScriptedHttpServer | undefined;

  private constructor(options: ObjectStoreOptions) {
    this.#options = options;
  }

  static async start(options: ObjectStoreOptions = {}): Promise<ObjectStore> {
    const store = new ObjectStore(options);
    store.#server = await startScriptedHttpServer((request, response) =>
      store.#answer(request, response),
    );
    return store;
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  get requests(): number {
    return this.#server?.requests ?? 0;
  }

  put(bucket: string, key: string, bytes: Uint8Array | string): void {
    const objects = this.#buckets.get(bucket) ?? new Map<string, Buffer>();
    objects.set(key, Buffer.from(bytes));
    this.#buckets.set(bucket, objects);
  }

  remove(bucket: string, keyStart = ""): void {
    const objects = this.#buckets.get(bucket);
    for (const key of objects?.keys() ?? []) if (key.startsWith(keyStart)) objects?.delete(key);
    if (keyStart === "") this.#buckets.delete(bucket);
  }

  async close(): Promise<void> {
    await this.#server?.kill();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const refuse = (status: number, code: string) => {
      const message = `<Message>The key ${STORE_KEYS.accessKeyId} is named here.</Message>`;
      const xml = `<?xml version="1.0"?><Error><Code>${code}</Code>${message}</Error>`;
      response.writeHead(status, { "content-type": "application/xml" }).end(xml);
    };
    if (this.faults.refusals > 0) {
      this.faults.refusals--;
      refuse(503, "SlowDown");
      return;
    }
    const wrong = this.#findWrongSignature(request, path, query);
    if (wrong !== undefined) {
      refuse(403, wrong);
      return;
    }
    const [, bucket = "", ...rest] = path.split("/");
    const objects = this.#buckets.get(decodeURIComponent(bucket));
    if (objects === undefined) refuse(404, "NoSuchBucket");
    else if (query !== "") this.#list(objects, new URLSearchParams(query), response);
    else {
      const object = objects.get(decodeURIComponent(rest.join("/")));
      if (object === undefined) refuse(404, "NoSuchKey");
      else void this.#send(object, request, response);
    }
  }

  #findWrongSignature(request: IncomingMessage, path: string, query: string): string | undefined {
    const { keys } = this.#options;
    if (keys === undefined) return undefined;
    const headers = request.headers as Record<string, string>;
    const { authorization = "", "x-amz-date": signedAt = "" } = headers;
    if (!authorization.includes(`Credential=${keys.accessKeyId}/`)) return "AccessDenied";
    const parts = { method: request.method ?? "", path, query, headers, ...keys };
    const expected = computeSignature(authorization, parts);
    if (!authorization.endsWith(`Signature=${expected}`)) return "SignatureDoesNotMatch";
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    return signedAt.startsWith(today) ? undefined : "RequestTimeTooSkewed";
  }

  #list(objects: Map<string, Buffer>, query: URLSearchParams, response: ServerResponse): void {
    const { pageSize = 1000 } = this.#options;
    const prefix = query.get("prefix") ?? "";
    const all = [...objects].filter(([key]) => key.startsWith(prefix)).sort();
    const first = Number(query.get("continuation-token") ?? 0);
    const page = all.slice(first, first + pageSize);
    const next = first + pageSize;
    const contents = page.map(([key, bytes]) => {
      const name = new URLSearchParams({ key }).toString().slice("key=".length);
      const etag = `&quot;${etagOf(bytes)}&quot;`;
      return `<Contents><Key>${name}</Key><Size>${bytes.length}</Size><ETag>${etag}</ETag></Contents>`;
    });
    const more = next < all.length;
    const token = more ? `<NextContinuationToken>${next}</NextContinuationToken>` : "";
    const xml = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>
<IsTruncated>${more}</IsTruncated>${token}${contents.join("\n")}</ListBucketResult>`;
    response.writeHead(200, { "content-type": "application/xml" }).end(xml);
  }

  async #send(object: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const etag = `"${etagOf(object)}"`;
    const { "if-match": wanted, range } = request.headers;
    if (wanted !== undefined && wanted !== etag) {
      response.writeHead(412).end();
      return;
    }
    if (range !== undefined) this.ranges.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (range !== undefined && from >= object.length) {
      response.writeHead(416).end();
      return;
    }
    const bytes = Buffer.from(object.subarray(from));
    if (this.faults.isLying && bytes.length > 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
    response.writeHead(range === undefined ? 200 : 206, {
      etag,
      "content-length": bytes.length,
      ...(range !== undefined && {
        "content-range": `bytes ${from}-${object.length - 1}/${object.length}`,
      }),
    });
    await this.#sendPieces(bytes, response);
  }

  async #sendPieces(bytes: Buffer, response: ServerResponse): Promise<void> {
    const { breaks, pauseMs } = this.faults;
    const isBreaking = breaks.times > 0 && bytes.length > breaks.after;
    if (isBreaking) breaks.times--;
    const end = isBreaking ? breaks.after : bytes.length;
    const piece = pauseMs > 0 ? 16_384 : end;
    for (let at = 0; at < end && !response.destroyed; at += piece) {
      response.write(bytes.subarray(at, Math.min(at + piece, end)));
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    // What was written has to leave before the connection breaks.
    if (isBreaking) setTimeout(() => response.destroy(), 20);
    else response.end();
  }
}

function etagOf(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
