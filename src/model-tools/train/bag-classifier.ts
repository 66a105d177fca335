import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { normalizeText } from "../../core/text/normalize.ts";
import type { Classifier } from "../evaluate/evaluate-classifier.ts";
import type { BagModel } from "./bag-model.ts";
import { scoreIds } from "./bag-model.ts";
import { softmaxInPlace } from "./softmax.ts";

/** Lets a model that has just been trained be measured like one that is being served. */
export function createBagClassifier(
  model: BagModel,
  tokenizer: Tokenizer,
  labels: readonly string[],
): Classifier {
  return {
    labels,
    async predict(texts) {
      return texts.map((text) => {
        const row = Float64Array.from(scoreIds(model, tokenizer.encode(normalizeText(text)).ids));
        softmaxInPlace(row);
        return row;
      });
    },
  };
}
