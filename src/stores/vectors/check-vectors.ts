import { SluiceError } from "../../core/errors.ts";
import type {
  VectorCollection,
  VectorFilter,
  VectorItem,
  VectorMetadata,
} from "../../core/ports/vector-store.ts";
import { VECTOR_METRICS } from "../../core/ports/vector-store.ts";

/** What every driver refuses, in the same words. All functions throw SluiceError `invalid_argument` that names the field. */

const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const MAX_DIMENSIONS = 4096;
const MAX_ID_CHARACTERS = 200;
const MAX_RESULTS = 1000;

/** Refuses constants that no collection can have. */
export function assertCollection({ name, dimensions, metric, origin }: VectorCollection): void {
  if (!NAME.test(name)) {
    throw refuse("name", "must be 1 to 63 of a-z, 0-9, _ and -, first a letter");
  }
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw refuse("dimensions", `must be a whole number from 1 to ${MAX_DIMENSIONS}`);
  }
  if (!VECTOR_METRICS.includes(metric)) {
    throw refuse("metric", `must be one of ${VECTOR_METRICS.join(", ")}`);
  }
  assertText("origin", origin);
}

/** Refuses a collection that is to be made again with other constants. */
export function assertSameCollection(found: VectorCollection, wanted: VectorCollection): void {
  for (const field of ["dimensions", "metric", "origin"] as const) {
    if (found[field] === wanted[field]) continue;
    throw refuse(field, "differs from that of the collection that has this name; choose another");
  }
}

/** Refuses items that do not fit into `collection`. @returns each id's last item, in order */
export function toUniqueItems(
  collection: VectorCollection,
  items: readonly VectorItem[],
): readonly VectorItem[] {
  const byId = new Map<string, VectorItem>();
  for (const [index, item] of items.entries()) {
    const field = `items[${index}]`;
    assertId(`${field}.id`, item.id);
    assertVector(`${field}.vector`, item.vector, collection);
    if (item.text !== undefined) assertText(`${field}.text`, item.text);
    if (item.label !== undefined) assertText(`${field}.label`, item.label);
    assertMetadata(`${field}.metadata`, item.metadata);
    byId.set(item.id, item);
  }
  return [...byId.values()];
}

/** Refuses a vector of another length, with numbers that are not finite, or without a direction where that counts. */
export function assertVector(
  field: string,
  vector: Float32Array,
  { dimensions, metric }: VectorCollection,
): void {
  if (vector.length !== dimensions) {
    throw refuse(field, `must hold ${dimensions} numbers; found ${vector.length}`);
  }
  let isZero = true;
  for (const value of vector) {
    if (!Number.isFinite(value)) throw refuse(field, "must hold finite 32-bit numbers only");
    if (value !== 0) isZero = false;
  }
  if (isZero && metric === "cosine") {
    throw refuse(field, "must not be all zeros, because cosine compares directions");
  }
}

/** Refuses `k` or `limit` outside 1 to 1000. */
export function assertCount(field: "k" | "limit", count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_RESULTS) return;
  throw refuse(field, `must be a whole number from 1 to ${MAX_RESULTS}`);
}

/** Refuses filters that could match nothing that can be stored. */
export function assertFilter(filter: VectorFilter | undefined): void {
  if (filter?.label !== undefined) assertText("filter.label", filter.label);
  if (filter?.metadata !== undefined) assertMetadata("filter.metadata", filter.metadata);
}

/** The error for a collection that does not exist. */
export function unknownCollection(): SluiceError {
  return new SluiceError("not_found", "There is no collection of this name; create it first.");
}

function assertId(field: string, id: string): void {
  const characters = id.length > 2 * MAX_ID_CHARACTERS ? id.length : [...id].length;
  if (characters < 1 || characters > MAX_ID_CHARACTERS) {
    throw refuse(field, `must be a string of 1 to ${MAX_ID_CHARACTERS} characters`);
  }
  assertText(field, id);
}

/** Databases keep neither halves of characters nor, some of them, U+0000. */
function assertText(field: string, text: string): void {
  if (text.isWellFormed() && !text.includes("\u0000")) return;
  throw refuse(field, "must be well-formed text without U+0000");
}

function assertMetadata(field: string, metadata: VectorMetadata): void {
  for (const [key, value] of Object.entries(metadata)) {
    assertText(field, key);
    if (typeof value === "string") assertText(field, value);
    else if (typeof value === "number" && !Number.isFinite(value)) {
      throw refuse(field, "must hold strings, finite numbers and booleans only");
    }
  }
}

function refuse(field: string, problem: string): SluiceError {
  return new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}
