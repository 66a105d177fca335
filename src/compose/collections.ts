import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { CollectionService } from "../core/collections/collection-service.ts";
import { createCollectionService } from "../core/collections/collection-service.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { VectorStore } from "../core/ports/vector-store.ts";
import { Lazy } from "./lazy.ts";

/** The part of the composition root that keeps vectors. */
export interface CollectionsPart {
  readonly service: CollectionService;
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  stop(): Promise<void>;
}

/** @returns undefined where this process keeps no vectors */
export function createCollectionsPart(
  config: Config,
  pipeline: InferencePipeline,
): CollectionsPart | undefined {
  const { enabled, store: settings } = config.vectors;
  if (enabled === "off" || config.role === "engine" || config.role === "worker") return undefined;
  const lazy = new Lazy(() => openVectorStore(config));
  const isUntouched = () => settings.driver === "sqlite" && !existsSync(settings.path);
  const store = toLazyStore(lazy, isUntouched);
  const description = settings.driver === "sqlite" ? `sqlite-vec, ${settings.path}` : "pgvector";
  return {
    service: createCollectionService({ store, pipeline, idOf }),
    drivers: [{ port: "vectors", driver: description }],
    stop: () => lazy.close(),
  };
}

/** The same text is the same item, so that adding it again with another label corrects it. */
function idOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function openVectorStore({ vectors: { store } }: Config): Promise<VectorStore> {
  if (store.driver === "sqlite") {
    const { createSqliteVectorStore } = await import("../stores/vectors/sqlite-vec.ts");
    return await createSqliteVectorStore(store);
  }
  const { createPgvectorStore } = await import("../stores/vectors/pgvector.ts");
  return await createPgvectorStore(store);
}

/** A store that is opened by the first call; on a laptop that never kept a vector, looking makes no file. */
function toLazyStore(lazy: Lazy<VectorStore>, isUntouched: () => boolean): VectorStore {
  const open = () => lazy.get();
  return {
    description: "vectors",
    create: async (collection) => (await open()).create(collection),
    list: async () => (isUntouched() ? [] : (await open()).list()),
    drop: async (name) => (isUntouched() ? false : (await open()).drop(name)),
    upsert: async (name, items) => (await open()).upsert(name, items),
    remove: async (name, ids) => (await open()).remove(name, ids),
    search: async (name, query) => (await open()).search(name, query),
    page: async (name, range) => (await open()).page(name, range),
    close: () => lazy.close(),
  };
}
