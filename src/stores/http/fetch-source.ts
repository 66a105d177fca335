import type { IncomingMessage, RequestOptions } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Cancellation } from "../../core/ports/cancellation.ts";
import type { OpenedSource } from "../../core/ports/row-sources.ts";
import type { ResolveName } from "./guard-address.ts";
import { createGuardedLookup } from "./guard-address.ts";
import type { PatienceOptions } from "./patience.ts";
import { Patience } from "./patience.ts";
import type { SourceRules } from "./source-address.ts";
import { parseSourceUrl, SOURCE_FIELD } from "./source-address.ts";
import {
  describeSourceFault,
  describeStatus,
  describeTooLong,
  wrongSource,
} from "./source-fault.ts";

export interface FetchOptions extends SourceRules, PatienceOptions {
  /** Longest content, before and after decompression. */
  readonly maxBytes: number;
  /** Certificates in PEM that sign the server's, when it is not a public authority. */
  readonly certificateAuthority?: string;
  /** How names are resolved; by default as the machine does. */
  readonly resolve?: ResolveName;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Gets what is at an address, as it comes. Every address on the way is checked as the first, and every connection goes to
 * the very address that its name was checked with. No cookies, no credentials; nothing of what another server says gets
 * into messages.
 *
 * @throws SluiceError see `RowSources.open`
 */
export async function fetchSource(
  text: string,
  options: FetchOptions,
  cancellation: Cancellation,
): Promise<OpenedSource> {
  let url = parseSourceUrl(text, options);
  const patience = new Patience(options, cancellation);
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await patience.wait(get(url, options, patience.signal));
      const next = findRedirect(response, url);
      if (next === undefined) return openAnswer(response, options, patience);
      response.destroy();
      if (redirects === MAX_REDIRECTS) {
        throw wrongSource(`redirects more than ${MAX_REDIRECTS} times`);
      }
      url = parseSourceUrl(next, options, `${SOURCE_FIELD} redirects to an address that`);
    }
  } catch (thrown) {
    patience.end();
    throw describeSourceFault(thrown, "cannot be reached");
  }
}

/** @returns the answer once its head is there; its body is not read yet */
function get(url: URL, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { certificateAuthority: ca, resolve: resolveName } = options;
  const settings: RequestOptions & { readonly ca?: string } = {
    headers: {
      accept: "text/csv, application/x-ndjson, */*;q=0.1",
      "accept-encoding": "gzip",
      "user-agent": "sluice",
    },
    lookup: createGuardedLookup(options, resolveName),
    agent: false,
    ...(ca !== undefined && { ca }),
  };
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, settings);
    const stop = () => {
      reject(signal.reason);
      request.destroy();
    };
    signal.addEventListener("abort", stop, { once: true });
    request.on("close", () => {
      signal.removeEventListener("abort", stop);
      reject(new Error("closed"));
    });
    request.on("error", reject);
    request.on("response", resolve);
    request.end();
  });
}

/** @returns where an answer leads, in full; undefined when it leads nowhere */
function findRedirect({ statusCode = 0, headers }: IncomingMessage, url: URL): string | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(statusCode) || location === undefined) return undefined;
  if (URL.canParse(location, url.href)) return new URL(location, url.href).href;
  throw wrongSource("redirects to something that is no address");
}

function openAnswer(
  response: IncomingMessage,
  options: FetchOptions,
  patience: Patience,
): OpenedSource {
  // Whoever reads learns of a fault, perhaps later than it happens.
  response.on("error", () => {});
  try {
    const { statusCode = 0, headers } = response;
    if (statusCode !== 200) throw describeStatus(statusCode);
    if (Number(headers["content-length"]) > options.maxBytes) throw describeTooLong(options);
    const body = decode(response, options);
    const stop = () => body.destroy(patience.signal.reason);
    patience.signal.addEventListener("abort", stop, { once: true });
    const [type = ""] = (headers["content-type"] ?? "").split(";");
    return {
      contentType: type.trim().toLowerCase() || undefined,
      bytes: readPieces(body, options, patience),
      close: () => {
        patience.end();
        patience.signal.removeEventListener("abort", stop);
        body.destroy();
      },
    };
  } catch (thrown) {
    response.destroy();
    throw thrown;
  }
}

/** Undoes `Content-Encoding`. What is too long before that is refused here: empty blocks could go on for ever. */
function decode(response: IncomingMessage, options: FetchOptions): Readable {
  const encoding = response.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return response;
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw wrongSource("answers with a Content-Encoding other than gzip");
  }
  const limit = (pieces: AsyncIterable<Uint8Array>) => limitBytes(pieces, options);
  // What goes wrong is thrown to whoever reads.
  return pipeline(response, limit, createGunzip(), () => {});
}

async function* limitBytes(
  pieces: AsyncIterable<Uint8Array>,
  options: FetchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > options.maxBytes) throw describeTooLong(options);
    yield piece;
  }
}

async function* readPieces(
  body: Readable,
  options: FetchOptions,
  patience: Patience,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = limitBytes(body, options);
  try {
    for (;;) {
      const next = await patience.wait(pieces.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    throw describeSourceFault(thrown, "broke off before all of it had come");
  } finally {
    await pieces.return();
  }
}
