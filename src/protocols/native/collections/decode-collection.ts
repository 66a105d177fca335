import type {
  CollectionQuery,
  NewCollection,
  NewItem,
} from "../../../core/collections/collection.ts";
import type { MeasureOptions } from "../../../core/collections/measure-examples.ts";
import type {
  VectorFilter,
  VectorMetadata,
  VectorMetric,
} from "../../../core/ports/vector-store.ts";
import { VECTOR_METRICS } from "../../../core/ports/vector-store.ts";
import type { InputLimits } from "../field-reader.ts";
import { FieldReader, nameOf } from "../field-reader.ts";

/** Reads the bodies of `/v1/collections` and what is below. All throw SluiceError `invalid_argument` with one detail per wrong field. */

const MAX_ITEMS = 1000;
const MAX_FOUND = 1000;
const DEFAULT_FOUND = 10;
const DEFAULT_NEIGHBORS = 5;
const MAX_NEIGHBORS = 100;
const MAX_NAME_LENGTH = 128;
const MAX_MEASURED = 10_000;
const DEFAULT_MEASURED = 1000;

/** `POST /v1/collections`: `{name, model?, model_version?, dimensions?, metric?}`. */
export function decodeCollection(body: unknown): NewCollection {
  const read = new FieldReader(body);
  const { fields } = read;
  const metric = fields["metric"] ?? "cosine";
  if (!VECTOR_METRICS.some((one) => one === metric)) {
    read.report("metric", `must be one of ${VECTOR_METRICS.join(", ")}; found ${nameOf(metric)}`);
  }
  const decoded: NewCollection = {
    name: read.text("name", fields["name"]),
    metric: metric as VectorMetric,
    model: readName(read, "model"),
    version: readName(read, "model_version"),
    dimensions: readCount(read, "dimensions", { max: 4096, fallback: undefined }),
  };
  if (decoded.dimensions !== undefined && decoded.model !== undefined) {
    read.report("dimensions", "cannot stand beside model, whose vectors have their own length");
  }
  read.refuseUnknown(["name", "metric", "model", "model_version", "dimensions"]);
  read.assertNoProblems();
  return decoded;
}

/** `POST …/items`: `{items: [{id?, text?, vector?, label?, metadata?}]}`. */
export function decodeItems(body: unknown, limits: InputLimits): readonly NewItem[] {
  const read = new FieldReader(body);
  const value = read.fields["items"];
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_ITEMS;
  if (!isList) {
    const found = Array.isArray(value) ? `a list of ${value.length}` : nameOf(value);
    read.report("items", `must be a list of 1 to ${MAX_ITEMS} items; found ${found}`);
  }
  read.refuseUnknown(["items"]);
  const items: NewItem[] = [];
  for (const [index, item] of (isList ? value : []).entries()) {
    if (read.isFull) break;
    items.push(decodeItem(read, `items[${index}]`, item, limits));
  }
  read.assertNoProblems();
  return items;
}

const ITEM_FIELDS = ["id", "text", "vector", "label", "metadata"];

function decodeItem(read: FieldReader, field: string, item: unknown, limits: InputLimits): NewItem {
  const nothing = {
    id: undefined,
    text: undefined,
    vector: undefined,
    label: undefined,
    metadata: {},
  };
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    read.report(field, `must be an object with text or vector; found ${nameOf(item)}`);
    return nothing;
  }
  const { id, text, vector, label, metadata } = item as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(item)) {
    if (ITEM_FIELDS.includes(name)) continue;
    read.report(
      `${field}.${name.slice(0, 64)}`,
      `is not a field; known are ${ITEM_FIELDS.join(", ")}`,
    );
  }
  if (isAbsent(text) && isAbsent(vector)) {
    read.report(field, "must have a text, a vector, or both");
    return nothing;
  }
  return {
    id: read.optionalText(`${field}.id`, id),
    text: read.optionalText(`${field}.text`, text, limits),
    vector: isAbsent(vector) ? undefined : readVector(read, `${field}.vector`, vector),
    label: readLabel(read, `${field}.label`, label),
    metadata: isAbsent(metadata) ? {} : readMetadata(read, `${field}.metadata`, metadata),
  };
}

/** `POST …/search`: `{text | vector, k?, filter?: {label?, metadata?}}`. */
export function decodeSearch(body: unknown, limits: InputLimits): CollectionQuery {
  const read = new FieldReader(body);
  const { text, vector, filter } = read.fields;
  if (isAbsent(text) === isAbsent(vector)) {
    read.report("text", "or vector must be there, one of the two");
  }
  const query: CollectionQuery = {
    text: read.optionalText("text", text, limits),
    vector: isAbsent(vector) ? undefined : readVector(read, "vector", vector),
    k: readCount(read, "k", { max: MAX_FOUND, fallback: DEFAULT_FOUND }) ?? DEFAULT_FOUND,
    filter: isAbsent(filter) ? {} : readFilter(read, filter),
  };
  read.refuseUnknown(["text", "vector", "k", "filter"]);
  read.assertNoProblems();
  return query;
}

/** `POST …/evaluate`: `{k?, max_examples?, model?, model_version?}`. */
export function decodeMeasure(body: unknown): MeasureOptions {
  const read = new FieldReader(body);
  const name = readName(read, "model");
  const version = readName(read, "model_version");
  const k = readCount(read, "k", { max: MAX_NEIGHBORS, fallback: DEFAULT_NEIGHBORS });
  const maxExamples = readCount(read, "max_examples", {
    max: MAX_MEASURED,
    fallback: DEFAULT_MEASURED,
  });
  if (version !== undefined && name === undefined) {
    read.report("model_version", "needs a model beside it");
  }
  read.refuseUnknown(["k", "max_examples", "model", "model_version"]);
  read.assertNoProblems();
  return {
    k: k ?? DEFAULT_NEIGHBORS,
    maxExamples: maxExamples ?? DEFAULT_MEASURED,
    model: name === undefined ? undefined : { name, version },
  };
}

/** `POST …/delete`: `{ids: [...]}`. */
export function decodeIds(body: unknown): readonly string[] {
  const read = new FieldReader(body);
  const value = read.fields["ids"];
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_ITEMS;
  if (!isList) {
    const found = Array.isArray(value) ? `a list of ${value.length}` : nameOf(value);
    read.report("ids", `must be a list of 1 to ${MAX_ITEMS} ids; found ${found}`);
  }
  read.refuseUnknown(["ids"]);
  const ids = (isList ? value : []).map((id: unknown, i) => read.text(`ids[${i}]`, id));
  read.assertNoProblems();
  return ids;
}

/** What a list of items is asked for. */
export interface ItemPage {
  readonly limit: number;
  readonly after: string | undefined;
  readonly label: string | undefined;
  /** Whether the vectors are shown too. */
  readonly vectors: boolean;
}

/** The query of `GET …/items`: `limit`, `after`, `label`, `vectors`. */
export function decodeItemPage(query: Readonly<Record<string, string>>): ItemPage {
  const { limit } = query;
  const number = limit === undefined || limit.trim() === "" ? limit : Number(limit);
  const read = new FieldReader({ ...query, ...(limit === undefined ? {} : { limit: number }) });
  const { vectors = "false" } = read.fields;
  if (vectors !== "true" && vectors !== "false") read.report("vectors", "must be true or false");
  const page: ItemPage = {
    limit: readCount(read, "limit", { max: MAX_FOUND, fallback: 100 }) ?? 100,
    after: read.optionalText("after", read.fields["after"]),
    label: read.optionalText("label", read.fields["label"]),
    vectors: vectors === "true",
  };
  read.refuseUnknown(["limit", "after", "label", "vectors"]);
  read.assertNoProblems();
  return page;
}

/** A count of neighbours, as `/classify` has it too; undefined when it is not there or wrong. */
export function readNeighbors(read: FieldReader): number | undefined {
  return readCount(read, "neighbors", { max: MAX_NEIGHBORS, fallback: undefined });
}

function readCount(
  read: FieldReader,
  field: string,
  { max, fallback }: { readonly max: number; readonly fallback: number | undefined },
): number | undefined {
  const value = read.fields[field];
  if (isAbsent(value)) return fallback;
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max) return Number(value);
  read.report(field, `must be a whole number from 1 to ${max}; found ${nameOf(value)}`);
  return fallback;
}

/** A name of a model, a version or a collection; undefined when it is not there or wrong. */
export function readName(read: FieldReader, field: string): string | undefined {
  const value = read.fields[field];
  if (isAbsent(value)) return undefined;
  if (typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH)
    return value;
  read.report(
    field,
    `must be a string of 1 to ${MAX_NAME_LENGTH} characters; found ${nameOf(value)}`,
  );
  return undefined;
}

function readLabel(read: FieldReader, field: string, value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH)
    return value;
  read.report(
    field,
    `must be a string of 1 to ${MAX_NAME_LENGTH} characters; found ${nameOf(value)}`,
  );
  return undefined;
}

function readVector(read: FieldReader, field: string, value: unknown): Float32Array {
  if (!Array.isArray(value) || value.some((number) => typeof number !== "number")) {
    const found = Array.isArray(value) ? "a list with something else in it" : nameOf(value);
    read.report(field, `must be a list of numbers; found ${found}`);
    return new Float32Array(0);
  }
  return Float32Array.from(value as number[]);
}

function readMetadata(read: FieldReader, field: string, value: unknown): VectorMetadata {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    read.report(field, `must be an object; found ${nameOf(value)}`);
    return {};
  }
  for (const [key, entry] of Object.entries(value)) {
    if (["string", "number", "boolean"].includes(typeof entry)) continue;
    read.report(
      `${field}.${key.slice(0, 64)}`,
      `must be a string, number or boolean; found ${nameOf(entry)}`,
    );
  }
  return value as VectorMetadata;
}

function readFilter(read: FieldReader, value: unknown): VectorFilter {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    read.report("filter", `must be an object with label, metadata or both; found ${nameOf(value)}`);
    return {};
  }
  const { label, metadata, ...others } = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(others)) {
    read.report(`filter.${name.slice(0, 64)}`, "is not a field; known are label, metadata");
  }
  const wanted = readLabel(read, "filter.label", label);
  return {
    ...(wanted === undefined ? {} : { label: wanted }),
    ...(isAbsent(metadata) ? {} : { metadata: readMetadata(read, "filter.metadata", metadata) }),
  };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
