import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DiscoveredPackage, ModelSource } from "../../../core/ports/model-source.ts";
import type { PackageName } from "../read-package.ts";
import { readPackage } from "../read-package.ts";
import { unpackArchive } from "../unpacking/unpack-archive.ts";
import type { WebAnswer, WebRequest } from "./ask-web.ts";
import { askWeb } from "./ask-web.ts";
import { downloadFile } from "./download-file.ts";
import { createLastingFault, describeStatus } from "./fetch-fault.ts";
import type { FetchOptions } from "./fetch-options.ts";
import type { PackageShelf } from "./package-shelf.ts";
import { withRetries } from "./with-retries.ts";

/** An archive that holds one package. */
export interface ArchiveAddress extends PackageName {
  readonly url: string;
  /** Lower-case hex of the archive; undefined = whatever comes is taken. */
  readonly sha256: string | undefined;
  /** Sent to its server and to no other. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ArchiveSourceOptions {
  readonly archives: readonly ArchiveAddress[];
  readonly shelf: PackageShelf;
  readonly fetch: FetchOptions;
}

const MAX_REDIRECTS = 3;
/** Servers that do not know the method. */
const NO_HEAD: ReadonlySet<number> = new Set([403, 405, 501]);

/** Packages at addresses, each in an archive. What was fetched once is not fetched again while it is the same there. */
export function createArchiveSource(options: ArchiveSourceOptions): ModelSource {
  const { archives, shelf } = options;
  const ended = new AbortController();
  const packages = archives.map((archive) =>
    createArchivedPackage(archive, { ...options, signal: ended.signal }),
  );
  return {
    description: archives.map(({ url }) => withoutQuery(url)).join(", "),
    list: async () => packages,
    tidy: async () => {
      const places = await Promise.all(
        archives.map(async (archive) => (await findKept(archive, shelf)) ?? ""),
      );
      await shelf.keepOnly(new Set(places));
    },
    close: () => ended.abort(),
  };
}

interface Surroundings extends Omit<ArchiveSourceOptions, "archives"> {
  readonly signal: AbortSignal;
}

function createArchivedPackage(
  archive: ArchiveAddress,
  surroundings: Surroundings,
): DiscoveredPackage {
  const { shelf, fetch, signal } = surroundings;
  const { model, version, sha256 } = archive;
  let place: string | undefined;
  const look = () => lookAt(archive, surroundings);
  return {
    model,
    version,
    fingerprint: look,
    fetch: async () => {
      place = await findKept(archive, shelf);
      // What has a digest is known to be what is wanted. The rest may have changed, as far as anybody can tell.
      if (place !== undefined && sha256 !== undefined) return;
      const retry = { ...fetch, signal };
      const state = await withRetries(look, retry).catch((thrown: unknown) => {
        if (place === undefined) throw thrown;
        return undefined;
      });
      if (state === undefined) return;
      place = shelf.placeOf(archive, toContent(archive, state));
      if (await shelf.has(place)) return;
      await shelf.bring(place, signal, (work) => bring(archive, work, surroundings));
    },
    verify: () => readPackage(place ?? "", { model, version }),
  };
}

/** What an archive without a digest is known by: where it is, and what its server says of its state. */
function toContent({ url, sha256 }: ArchiveAddress, state: string): string {
  return sha256 ?? `${url}\n${state}`;
}

/** @returns the place of the package as it was last fetched */
async function findKept(archive: ArchiveAddress, shelf: PackageShelf): Promise<string | undefined> {
  const { model, version, sha256 } = archive;
  if (sha256 !== undefined) {
    const place = shelf.placeOf(archive, sha256);
    return (await shelf.has(place)) ? place : undefined;
  }
  const kept = await shelf.list();
  return kept.find((one) => one.model === model && one.version === version)?.folder;
}

/** What the server says of the archive's state, without its bytes. */
async function lookAt(archive: ArchiveAddress, { fetch, signal }: Surroundings): Promise<string> {
  const request = toRequest(archive, "HEAD", {});
  const answer = await askWeb(request, { ...fetch, signal, maxRedirects: MAX_REDIRECTS });
  answer.body.destroy();
  const { status, headers } = answer;
  if (NO_HEAD.has(status)) return "";
  if (status !== 200) throw describeStatus(request.what, status, undefined, headers["retry-after"]);
  return [headers.etag, headers["last-modified"], headers["content-length"]].join(" ");
}

async function bring(
  archive: ArchiveAddress,
  work: string,
  { fetch, signal }: Surroundings,
): Promise<string> {
  const path = join(work, "archive");
  const unpacked = join(work, "unpacked");
  const ask = (missing?: { readonly from: number; readonly validator: string }) => {
    const range: Record<string, string> =
      missing === undefined
        ? {}
        : { range: `bytes=${missing.from}-`, "if-range": missing.validator };
    return get(toRequest(archive, "GET", range));
  };
  const get = (request: WebRequest): Promise<WebAnswer> =>
    askWeb(request, { ...fetch, signal, maxRedirects: MAX_REDIRECTS });
  const { what } = toRequest(archive, "GET", {});
  await downloadFile({ what, path, maxBytes: fetch.maxBytes, ask }, { ...fetch, signal });
  try {
    await assertDigest(path, archive.sha256, what);
    await rm(unpacked, { recursive: true, force: true });
    await mkdir(unpacked);
    return await unpackArchive(path, unpacked, fetch.maxBytes);
  } catch (thrown) {
    // The next try gets it anew.
    await rm(path, { force: true });
    throw thrown;
  }
}

async function assertDigest(
  path: string,
  expected: string | undefined,
  what: string,
): Promise<void> {
  if (expected === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const found = hash.digest("hex");
  if (found === expected) return;
  const fix = "put the right archive there, or change sha256 in models.archives";
  throw createLastingFault(`${what} has the SHA-256 ${found}, not ${expected}; ${fix}.`);
}

function toRequest(
  { url, headers }: ArchiveAddress,
  method: "GET" | "HEAD",
  more: Readonly<Record<string, string>>,
): WebRequest {
  const what = `The archive ${withoutQuery(url)}`;
  return { method, url: new URL(url), headers: { ...headers, ...more }, what };
}

/** Queries, and what stands before an `@`, may hold secrets. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
