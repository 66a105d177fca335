import type { ServingVersion } from "../models/serving-version.ts";
import { normalizeText } from "../text/normalize.ts";
import type { TextInput } from "./request.ts";

/**
 * How many tokens a model reads of these texts, special ones included; what overlapping windows read twice counts twice.
 * Costs as much as tokenizing them, since answers that come from the cache are not tokenized at all.
 */
export function countTokens(
  { tokenizer }: Pick<ServingVersion, "tokenizer">,
  inputs: readonly TextInput[],
): number {
  let tokens = 0;
  for (const { text, pair } of inputs) {
    const second = pair === undefined ? undefined : normalizeText(pair);
    for (const { ids } of tokenizer.encode(normalizeText(text), second).windows) {
      tokens += ids.length;
    }
  }
  return tokens;
}
