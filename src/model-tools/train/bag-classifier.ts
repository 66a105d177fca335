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
        const [window] = tokenizer.encode(normalizeText(text)).windows;
        const row = Float64Array.from(scoreIds(model, window?.ids ?? new Int32Array()));
        softmaxInPlace(row);
        return row;
      });
    },
  };
}
