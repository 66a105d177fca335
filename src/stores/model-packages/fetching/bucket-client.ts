import type { IncomingHttpHeaders } from "node:http";
import { AwsV4Signer } from "aws4fetch";
import type { WebAnswer, WebRequest } from "./ask-web.ts";
import { askWeb } from "./ask-web.ts";
import type { ResumePoint } from "./download-file.ts";
import { readStartOfBody } from "./download-file.ts";
import { describeStatus } from "./fetch-fault.ts";
import type { FetchOptions } from "./fetch-options.ts";
import type { BucketObject } from "./read-bucket-list.ts";
import { readBucketError, readBucketPage } from "./read-bucket-list.ts";

/** Who asks. */
export interface BucketCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Goes with credentials that end by themselves. */
  readonly sessionToken: string | undefined;
}

/** A bucket of an object store that speaks as Amazon S3 does. */
export interface BucketAddress {
  readonly bucket: string;
  /** What keys begin with, without a slash at its end; may be empty. */
  readonly prefix: string;
  /** e.g. `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  /** Where the bucket's name stands: in the path, or before the endpoint's host. */
  readonly addressing: "path" | "virtual-host";
  /** Undefined = nobody in particular; the bucket must be public. */
  readonly credentials: BucketCredentials | undefined;
}

export interface BucketClient {
  /**
   * All objects below the prefix.
   *
   * @throws SluiceError with the store's reason
   */
  list(): Promise<readonly BucketObject[]>;
  /** Asks for an object as it was listed, or for what is missing of it. */
  get(object: BucketObject, missing: ResumePoint | undefined): Promise<WebAnswer>;
}

const MAX_PAGES = 1000;
/** SHA-256 of nothing, which is the body of every request here. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Requests are signed with Signature Version 4 (AWS General Reference, "Signing AWS API requests"). */
export function createBucketClient(
  address: BucketAddress,
  fetch: Pick<FetchOptions, "timeoutMs">,
  signal: AbortSignal,
): BucketClient {
  const { bucket, prefix } = address;
  const ask = async (what: string, url: URL, headers: Record<string, string>) => {
    const request: WebRequest = {
      method: "GET",
      url,
      what,
      headers: await sign(url, headers, address.credentials, address.region),
    };
    // A signature holds for one server only; a redirect says that the bucket is in another region.
    return await askWeb(request, { ...fetch, signal, maxRedirects: 0 });
  };
  return {
    list: async () => {
      const objects: BucketObject[] = [];
      const what = `The bucket ${bucket}`;
      let continuation: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const url = toUrl(address, "");
        const query = {
          "list-type": "2",
          "encoding-type": "url",
          prefix: prefix === "" ? "" : `${prefix}/`,
          ...(continuation !== undefined && { "continuation-token": continuation }),
        };
        // Spaces as the signature wants them, which forms do not.
        url.search = Object.entries(query)
          .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
          .join("&");
        const answer = await ask(what, url, {});
        const xml = await readBody(answer);
        if (answer.status !== 200) throw describeRefusal(what, answer.status, answer.headers, xml);
        const read = readBucketPage(xml);
        objects.push(...read.objects);
        if (read.continuation === undefined) break;
        continuation = read.continuation;
      }
      return objects;
    },
    get: ({ key, etag }, missing) =>
      ask(`The object ${key} of the bucket ${bucket}`, toUrl(address, key), {
        // As it was listed, or not at all.
        ...(etag !== "" && { "if-match": `"${etag}"` }),
        ...(missing !== undefined && { range: `bytes=${missing.from}-` }),
        "x-amz-checksum-mode": "ENABLED",
      }),
  };
}

/** @param xml of the answer's body */
function describeRefusal(
  what: string,
  status: number,
  headers: IncomingHttpHeaders,
  xml: string,
): Error {
  const isElsewhere = status >= 300 && status < 400;
  const region = headers["x-amz-bucket-region"];
  const hint = typeof region === "string" && /^[a-z0-9-]{1,32}$/.test(region) ? ` ${region}` : "";
  const elsewhere = `is in another region${hint}; set region and endpoint`;
  const said = isElsewhere ? elsewhere : readBucketError(xml);
  return describeStatus(what, status, said, headers["retry-after"]);
}

function toUrl({ endpoint, bucket, addressing }: BucketAddress, key: string): URL {
  const url = new URL(endpoint);
  const base = url.pathname.replace(/\/$/, "");
  const path = key.split("/").map(encodeStrictly).join("/");
  if (addressing === "path") url.pathname = `${base}/${encodeStrictly(bucket)}/${path}`;
  else {
    url.hostname = `${bucket}.${url.hostname}`;
    url.pathname = `${base}/${path}`;
  }
  return url;
}

/** As RFC 3986 has it: signatures leave nothing but its unreserved characters as they are. */
function encodeStrictly(text: string): string {
  const percent = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, percent);
}

async function sign(
  url: URL,
  headers: Readonly<Record<string, string>>,
  credentials: BucketCredentials | undefined,
  region: string,
): Promise<Record<string, string>> {
  if (credentials === undefined) return headers;
  const { sessionToken, ...keys } = credentials;
  const signer = new AwsV4Signer({
    ...{ url: url.href, method: "GET", service: "s3", region, ...keys },
    headers: { ...headers, "x-amz-content-sha256": EMPTY_SHA256 },
    ...(sessionToken !== undefined && { sessionToken }),
  });
  const { headers: signed } = await signer.sign();
  return Object.fromEntries(signed);
}

/** Lists of a thousand objects are long, and no longer than this. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

async function readBody(answer: WebAnswer): Promise<string> {
  if (answer.status !== 200) return await readStartOfBody(answer).catch(() => "");
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body) {
    bytes += piece.length;
    if (bytes > MAX_LIST_BYTES) break;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
