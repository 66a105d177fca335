import { normalizeText } from "../../core/text/normalize.ts";

const NOT_TELLING = /[\s\p{P}\p{C}]+/gu;

/**
 * What two texts have in common when they count as the same: the text without case, blanks and punctuation. Symbols and
 * emoji stay, because `:)`-like texts would otherwise all be one; a text of nothing but punctuation keeps it.
 */
export function toTextKey(text: string): string {
  const normalized = normalizeText(text).toLowerCase();
  const key = normalized.replace(NOT_TELLING, "");
  return key === "" ? normalized : key;
}
