import { createHash } from "node:crypto";
import { join } from "node:path";
import { asksEngines } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import type { SourceSet } from "../core/models/source-set.ts";
import { joinSources } from "../core/models/source-set.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelSource } from "../core/ports/model-source.ts";
import { createDirectoryModelSource } from "../stores/model-packages/directory.ts";
import type { FetchOptions } from "../stores/model-packages/fetching/fetch-options.ts";

/** The part of the composition root that knows where packages come from. */

/** The member at the front is the directory, where there is one. */
export async function createModelSources(config: Config, logger: Logger): Promise<SourceSet> {
  // Who asks engines has no models of its own.
  if (asksEngines(config)) return joinSources([], logger);
  const { directory, archives, buckets } = config.models;
  const folder = createDirectoryModelSource(directory);
  const isFetching = archives.length > 0 || buckets.length > 0;
  const fetched = isFetching ? await createFetchedSources(config) : [];
  return joinSources([folder, ...fetched], logger);
}

const FIRST_WAIT_MS = 500;

/** Loaded only where there are any: most servers never unpack or sign anything. */
async function createFetchedSources({ models }: Config): Promise<readonly ModelSource[]> {
  const [{ createArchiveSource }, { createBucketSource }, { createPackageShelf }] =
    await Promise.all([
      import("../stores/model-packages/fetching/archive-source.ts"),
      import("../stores/model-packages/fetching/bucket-source.ts"),
      import("../stores/model-packages/fetching/package-shelf.ts"),
    ]);
  const { directory, attempts, timeoutMs, maxMb } = models.fetching;
  const fetch: FetchOptions = {
    ...{ attempts, timeoutMs, firstWaitMs: FIRST_WAIT_MS },
    maxBytes: maxMb * 1024 * 1024,
  };
  const buckets = models.buckets.map((stated) => {
    const address = toAddress(stated, models.fetching);
    const { bucket, endpoint, prefix } = address;
    const shelf = createPackageShelf(join(directory, toShelfName([endpoint, bucket, prefix])));
    return createBucketSource({ address, shelf, fetch });
  });
  if (models.archives.length === 0) return buckets;
  const archives = models.archives.map(({ name: model, sha256, headers = {}, ...rest }) => ({
    ...{ ...rest, model, sha256, headers },
  }));
  const shelf = createPackageShelf(join(directory, "archives"));
  return [createArchiveSource({ archives, shelf, fetch }), ...buckets];
}

/** Two buckets, or the same one in another place, never share a folder. */
function toShelfName(facts: readonly string[]): string {
  return `bucket-${createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16)}`;
}

type Models = Config["models"];
type StatedBucket = Models["buckets"][number];

function toAddress({ bucket, prefix = "", ...stated }: StatedBucket, fetching: Models["fetching"]) {
  const { region = fetching.region } = stated;
  const { endpoint = `https://s3.${region}.amazonaws.com` } = stated;
  const usual = stated.endpoint === undefined ? "virtual-host" : "path";
  return {
    ...{ bucket, region, endpoint },
    prefix: prefix.replace(/^\/+|\/+$/g, ""),
    addressing: stated.addressing ?? usual,
    credentials: findCredentials(stated) ?? findCredentials(fetching),
  } as const;
}

type Keys = Pick<StatedBucket, "accessKeyId" | "secretAccessKey" | "sessionToken">;

function findCredentials({ accessKeyId = "", secretAccessKey = "", sessionToken = "" }: Keys) {
  if (accessKeyId === "" || secretAccessKey === "") return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined };
}
