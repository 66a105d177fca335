import type { InferencePipeline } from "../inference/run-inference.ts";
import type {
  VectorCollection,
  VectorFilter,
  VectorItem,
  VectorMatch,
  VectorStore,
} from "../ports/vector-store.ts";
import type { Collection, CollectionQuery, NewCollection, NewItem, Wait } from "./collection.ts";
import { parseOrigin, toOrigin } from "./collection.ts";
import { embedItems } from "./embed-items.ts";
import { chooseEmbedding, embedTexts } from "./embed-texts.ts";
import { KnownCollections, unknownCollection } from "./known-collections.ts";
import type { ExamplesReport, MeasureOptions } from "./measure-examples.ts";
import { measureExamples } from "./measure-examples.ts";

/** Labelled neighbours of some texts, and how their scores are to be read. */
export interface Neighborhood {
  readonly metric: VectorCollection["metric"];
  /** By text, nearest first. */
  readonly neighbors: readonly (readonly VectorMatch[])[];
}

/** What callers do with collections. All callers of an installation share them. */
export interface CollectionService {
  list(): Promise<readonly Collection[]>;
  /** @throws SluiceError `not_found` */
  find(name: string): Promise<Collection>;
  /**
   * Makes a collection; one with the same constants is left as it is.
   *
   * @throws SluiceError `invalid_argument` for a model that makes no vectors, or constants other than those that it has
   */
  create(wanted: NewCollection, wait: Wait): Promise<Collection>;
  /** @throws SluiceError `not_found` */
  drop(name: string): Promise<void>;
  /**
   * Adds items, all or none; those whose id exists are replaced. A collection that does not exist is made, for the model of
   * embeddings that there is or, where the first item brings a vector and no text, for vectors of its length.
   *
   * @returns their ids, in order
   */
  add(name: string, items: readonly NewItem[], wait: Wait): Promise<readonly string[]>;
  /** @returns how many of them there were. @throws SluiceError `not_found` */
  remove(name: string, ids: readonly string[]): Promise<number>;
  /** By id. @throws SluiceError `not_found` */
  page(
    name: string,
    range: { readonly after?: string; readonly limit: number; readonly filter?: VectorFilter },
  ): Promise<readonly VectorItem[]>;
  /** Nearest first. @throws SluiceError `not_found`; see `embedTexts` */
  search(name: string, query: CollectionQuery, wait: Wait): Promise<readonly VectorMatch[]>;
  /** The `k` nearest items with a label for each text. @throws SluiceError as `search` */
  findNeighbors(
    name: string,
    texts: readonly string[],
    k: number,
    wait: Wait,
  ): Promise<Neighborhood>;
  /** How well the labelled items tell each other's labels. @throws SluiceError see `measureExamples` */
  measure(name: string, options: MeasureOptions, wait: Wait): Promise<ExamplesReport>;
}

export interface CollectionServiceOptions {
  readonly store: VectorStore;
  readonly pipeline: InferencePipeline;
  /** The same id for the same text. */
  readonly idOf: (text: string) => string;
}

/** Items looked at per neighbour that is wanted, since some have no label. */
const LOOKED_AT_PER_NEIGHBOR = 4;
const MAX_FOUND = 1000;
const SEARCHES_AT_ONCE = 8;

export function createCollectionService(options: CollectionServiceOptions): CollectionService {
  const { store, pipeline, idOf } = options;
  const known = new KnownCollections(store, () => pipeline.clock.nowMs());
  const listAll = async () => (await store.list()).map(toCollection);
  const find = async (name: string): Promise<Collection> => {
    const found = (await listAll()).find((collection) => collection.name === name);
    if (found === undefined) throw unknownCollection(name);
    return found;
  };
  const create = async (wanted: NewCollection, wait: Wait): Promise<Collection> => {
    const stored = await toStored(wanted, pipeline, wait);
    await store.create(stored);
    known.forget(wanted.name);
    return await find(wanted.name);
  };
  return {
    list: listAll,
    find,
    create,
    drop: async (name) => {
      const wasThere = await store.drop(name);
      known.forget(name);
      if (!wasThere) throw unknownCollection(name);
    },
    add: async (name, items, wait) => {
      if ((await known.find(name)) === undefined) await create(guessCollection(name, items), wait);
      const collection = await known.get(name);
      const vectors = await embedItems(items, collection, pipeline, wait);
      const stored = items.map(({ id, text, label, metadata }, index): VectorItem => {
        const vector = vectors[index] ?? new Float32Array(0);
        return { id: id ?? idOf(text ?? vector.join()), vector, text, label, metadata };
      });
      await store.upsert(name, stored);
      return stored.map(({ id }) => id);
    },
    remove: async (name, ids) => {
      await known.get(name);
      return await store.remove(name, ids);
    },
    page: async (name, range) => {
      await known.get(name);
      return await store.page(name, range);
    },
    search: async (name, { text, vector, k, filter }, wait) => {
      const collection = await known.get(name);
      const [wanted] = await embedItems([{ text, vector }], collection, pipeline, wait);
      return await store.search(name, { vector: wanted ?? new Float32Array(0), k, filter });
    },
    findNeighbors: async (name, texts, k, wait) => {
      const collection = await known.get(name);
      const items = texts.map((text) => ({ text, vector: undefined }));
      const vectors = await embedItems(items, collection, pipeline, wait);
      const looked = Math.min(MAX_FOUND, k * LOOKED_AT_PER_NEIGHBOR);
      const neighbors = await mapSome(vectors, SEARCHES_AT_ONCE, async (vector) => {
        const found = await store.search(name, { vector, k: looked });
        return found.filter(({ label }) => label !== undefined).slice(0, k);
      });
      return { metric: collection.metric, neighbors };
    },
    measure: async (name, measuring, wait) => {
      const collection = await known.get(name);
      return await measureExamples(collection, measuring, { store, pipeline, wait });
    },
  };
}

/** Applies `map` to all values, some at a time. */
async function mapSome<In, Out>(
  values: readonly In[],
  atOnce: number,
  map: (value: In) => Promise<Out>,
): Promise<readonly Out[]> {
  const results: Out[] = [];
  for (let start = 0; start < values.length; start += atOnce) {
    results.push(...(await Promise.all(values.slice(start, start + atOnce).map(map))));
  }
  return results;
}

async function toStored(
  { name, metric, model, version, dimensions }: NewCollection,
  pipeline: InferencePipeline,
  wait: Wait,
): Promise<VectorCollection> {
  if (dimensions !== undefined) return { name, metric, dimensions, origin: toOrigin(undefined) };
  const embedding = await chooseEmbedding(pipeline, model, version);
  // How long its vectors are shows when it makes one.
  const probe = { ...wait, lane: "online" as const, fieldOf: () => "model" };
  const [vector] = await embedTexts(["length"], embedding, pipeline, probe);
  return { name, metric, dimensions: vector?.length ?? 0, origin: toOrigin(embedding) };
}

/** What a collection is to be that comes into being with its first items. */
function guessCollection(name: string, items: readonly NewItem[]): NewCollection {
  const [first] = items;
  const isBrought = first?.vector !== undefined && first.text === undefined;
  return {
    name,
    metric: "cosine",
    model: undefined,
    version: undefined,
    dimensions: isBrought ? first.vector?.length : undefined,
  };
}

function toCollection(stored: VectorCollection & { readonly items: number }): Collection {
  const { name, dimensions, metric, origin, items } = stored;
  return { name, dimensions, metric, embedding: parseOrigin(origin), items };
}
