import type { ExamplesWanted, ResultWithExamples } from "../../core/collections/add-examples.ts";
import { addExamples } from "../../core/collections/add-examples.ts";
import type { Wait } from "../../core/collections/collection.ts";
import { SluiceError } from "../../core/errors.ts";
import type { InferenceOptions, TextInput } from "../../core/inference/request.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import type { VectorMatch } from "../../core/ports/vector-store.ts";
import type { CollectionOptions } from "../gateway-options.ts";

/**
 * Finds the examples near the texts of a classification, and gives them their say in it. Texts that failed have none.
 *
 * @throws SluiceError `not_found` for a collection that does not exist; see `CollectionService.findNeighbors`
 */
export async function askExamples(
  asked: {
    readonly inputs: readonly TextInput[];
    readonly options: InferenceOptions;
    readonly examples: ExamplesWanted;
  },
  result: InferenceResult,
  wait: Wait,
  collections: CollectionOptions | undefined,
): Promise<ResultWithExamples> {
  if (collections === undefined) {
    const problem =
      "cannot be answered, because this server keeps no collections; see vectors.enabled";
    throw new SluiceError("invalid_argument", `neighbors ${problem}.`, {
      details: [{ field: "neighbors", problem }],
    });
  }
  const { collection = collections.defaultCollection, neighbors: k, weight } = asked.examples;
  const places = [...result.items.keys()].filter((index) => result.items[index]?.ok === true);
  const texts = places.map((place) => asked.inputs[place]?.text ?? "");
  const { metric, neighbors } = await collections.service.findNeighbors(collection, texts, k, wait);
  const byItem: (readonly VectorMatch[])[] = result.items.map(() => []);
  for (const [i, place] of places.entries()) byItem[place] = neighbors[i] ?? [];
  return addExamples(result, { metric, neighbors: byItem }, weight, asked.options);
}
