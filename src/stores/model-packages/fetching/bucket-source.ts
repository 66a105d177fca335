import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isModelVersion } from "../../../core/models/manifest.ts";
import type { DiscoveredPackage, ModelSource } from "../../../core/ports/model-source.ts";
import { createPackageError } from "../package-files.ts";
import type { PackageName } from "../read-package.ts";
import { readPackage } from "../read-package.ts";
import type { BucketAddress, BucketClient } from "./bucket-client.ts";
import { createBucketClient } from "./bucket-client.ts";
import { downloadFile } from "./download-file.ts";
import { createLastingFault, describeTransferFault, PassingFault } from "./fetch-fault.ts";
import type { FetchOptions } from "./fetch-options.ts";
import type { PackageShelf } from "./package-shelf.ts";
import type { BucketObject } from "./read-bucket-list.ts";
import { readBucketError } from "./read-bucket-list.ts";
import { withRetries } from "./with-retries.ts";

export interface BucketSourceOptions {
  readonly address: BucketAddress;
  readonly shelf: PackageShelf;
  readonly fetch: FetchOptions;
}

/** A file of a package, by its path in the package's folder. */
interface PackageObject {
  readonly path: string;
  readonly object: BucketObject;
}

/**
 * Packages in a bucket, laid out as `<prefix>/<name>/<version>/`. Versions are fetched once for what they hold, file by file;
 * what else lies in the bucket is left alone.
 */
export function createBucketSource({ address, shelf, fetch }: BucketSourceOptions): ModelSource {
  const { bucket, prefix } = address;
  const ended = new AbortController();
  const { signal } = ended;
  const client = createBucketClient(address, fetch, signal);
  const surroundings = { client, shelf, fetch, signal };
  let places: ReadonlySet<string> | undefined;
  return {
    description: `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`,
    list: async () => {
      const objects = await withRetries(() => client.list(), { ...fetch, signal }).catch(
        (thrown: unknown) => {
          throw describeTransferFault(`The bucket ${bucket}`, "cannot be listed", thrown);
        },
      );
      const packages = groupByPackage(objects, prefix);
      places = new Set(packages.map((found) => shelf.placeOf(found, toContent(found.files))));
      return packages.map((found) => createBucketPackage(found, surroundings));
    },
    listKept: async () =>
      (await shelf.list()).map(({ model, version, folder }) => ({
        ...{ model, version },
        verify: () => readPackage(folder, { model, version }),
      })),
    tidy: async () => {
      if (places !== undefined) await shelf.keepOnly(places);
    },
    close: () => ended.abort(),
  };
}

interface FoundPackage extends PackageName {
  readonly files: readonly PackageObject[];
}

/** Objects whose keys are not `<name>/<version>/<path>` are none of a package. */
function groupByPackage(objects: readonly BucketObject[], prefix: string): readonly FoundPackage[] {
  const start = prefix === "" ? "" : `${prefix}/`;
  const found = new Map<string, FoundPackage & { readonly files: PackageObject[] }>();
  for (const object of objects) {
    if (!object.key.startsWith(start)) continue;
    const [model = "", version = "", ...rest] = object.key.slice(start.length).split("/");
    const path = rest.join("/");
    // Some tools make folders visible by empty objects.
    if (path === "" || path.endsWith("/") || model === "") continue;
    const key = `${model}\n${version}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { model, version, files: [{ path, object }] });
    else known.files.push({ path, object });
  }
  return [...found.values()].sort((a, b) => compare(a.model, b.model));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toContent(files: readonly PackageObject[]): string {
  const facts = files.map(({ path, object }) => [path, object.size, object.etag]);
  return JSON.stringify(facts.sort(([a], [b]) => compare(String(a), String(b))));
}

interface Surroundings extends Omit<BucketSourceOptions, "address"> {
  readonly client: BucketClient;
  readonly signal: AbortSignal;
}

function createBucketPackage(
  { model, version, files }: FoundPackage,
  { client, shelf, fetch, signal }: Surroundings,
): DiscoveredPackage {
  const content = toContent(files);
  const fingerprint = async () => content;
  if (!isModelVersion(version)) {
    const rule = "must be named major.minor.patch, such as 1.0.0";
    const message = `The folder ${model}/${version} ${rule}, to be a version of the model.`;
    const verify = () => Promise.reject(createPackageError(message));
    return { model, version, fingerprint, verify };
  }
  const place = shelf.placeOf({ model, version }, content);
  return {
    model,
    version,
    fingerprint,
    fetch: async () => {
      if (await shelf.has(place)) return;
      assertReasonable(files, fetch.maxBytes);
      await shelf.bring(place, signal, async (work) => {
        const folder = join(work, "package");
        for (const file of files) await bringFile(file, folder, { client, fetch, signal });
        return folder;
      });
    },
    verify: () => readPackage(place, { model, version }),
  };
}

/** More files than any package has. */
const MAX_FILES = 10_000;

function assertReasonable(files: readonly PackageObject[], maxBytes: number): void {
  if (files.length > MAX_FILES) {
    throw createLastingFault(`The package has ${files.length} files, more than ${MAX_FILES}.`);
  }
  const bytes = files.reduce((sum, { object }) => sum + object.size, 0);
  if (!(bytes <= maxBytes)) {
    const limit = `${Math.floor(maxBytes / 1024 / 1024)} MB (models.fetching.maxMb)`;
    throw createLastingFault(`The package has ${bytes} bytes, more than ${limit}.`);
  }
  const outside = files.find(({ path }) => isOutside(path));
  if (outside !== undefined) {
    const name = JSON.stringify(outside.object.key);
    throw createLastingFault(`The object ${name} would lie outside of its package's folder.`);
  }
}

function isOutside(path: string): boolean {
  const parts = path.split("/");
  return parts.some((part) => part === "" || part === "." || part === "..") || /[\\\0]/.test(path);
}

async function bringFile(
  { path, object }: PackageObject,
  folder: string,
  { client, fetch, signal }: Pick<Surroundings, "client" | "fetch" | "signal">,
): Promise<void> {
  const what = `The object ${object.key}`;
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const { headers } = await downloadFile(
    {
      what,
      path: file,
      maxBytes: object.size,
      ask: (missing) => client.get(object, missing),
      explain: readBucketError,
    },
    { ...fetch, signal },
  );
  try {
    await assertWhole(file, object, what, headers);
  } catch (thrown) {
    // The next try gets it anew.
    await rm(file, { force: true });
    throw thrown;
  }
}

async function assertWhole(
  file: string,
  { etag }: BucketObject,
  what: string,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const checksum = headers["x-amz-checksum-sha256"];
  if (typeof checksum === "string" && !checksum.includes("-")) {
    if ((await digest(file, "sha256", "base64")) === checksum) return;
    throw new PassingFault(`${what} does not have the SHA-256 that its store has of it.`);
  }
  // Objects that came in parts, or are encrypted with a key of one's own, have another kind of ETag.
  const encryption = headers["x-amz-server-side-encryption"] ?? "AES256";
  if (!/^[0-9a-f]{32}$/.test(etag) || encryption !== "AES256") return;
  if ((await digest(file, "md5", "hex")) === etag) return;
  throw new PassingFault(`${what} does not have the MD5 that its store has of it.`);
}

async function digest(path: string, algorithm: string, form: "hex" | "base64"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest(form);
}
