import { SluiceError } from "../errors.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import type { VectorCollection } from "../ports/vector-store.ts";
import type { EmbeddingModel, NewItem, Wait } from "./collection.ts";
import { parseOrigin } from "./collection.ts";
import { embedTexts } from "./embed-texts.ts";

/** More texts than these are bulk work, which lets others go first. */
const MAX_ONLINE_TEXTS = 32;

/**
 * The vectors of items: those that they bring, and for texts without one what the collection's model makes of them.
 *
 * @throws SluiceError as `embedTexts`; `invalid_argument` when the collection has no model
 */
export async function embedItems(
  items: readonly Pick<NewItem, "text" | "vector">[],
  collection: VectorCollection,
  pipeline: InferencePipeline,
  wait: Wait,
): Promise<readonly Float32Array[]> {
  const vectors = items.map(({ vector }) => vector);
  const places = [...items.keys()].filter((index) => vectors[index] === undefined);
  if (places.length > 0) {
    const texts = places.map((place) => items[place]?.text ?? "");
    const fieldOf = (i: number) => (items.length === 1 ? "text" : `items[${places[i]}].text`);
    const lane = texts.length > MAX_ONLINE_TEXTS ? "bulk" : "online";
    const made = await embedTexts(texts, embeddingOf(collection), pipeline, {
      ...wait,
      lane,
      fieldOf,
    });
    for (const [i, place] of places.entries()) vectors[place] = made[i];
  }
  return vectors.map((vector) => vector ?? new Float32Array(0));
}

function embeddingOf({ origin }: VectorCollection): EmbeddingModel {
  const embedding = parseOrigin(origin);
  if (embedding !== undefined) return embedding;
  const problem =
    "cannot be made a vector here, because this collection has vectors of its callers; send a vector";
  throw new SluiceError("invalid_argument", `A text ${problem}.`, {
    details: [{ field: "text", problem }],
  });
}
