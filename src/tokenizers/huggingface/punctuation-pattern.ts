import { UNICODE_DIFFERENCES } from "../wordpiece/unicode-differences.ts";

/** A character that counts as punctuation: ASCII signs, and what Unicode calls so, as far as the reference knows it. */
export const PUNCTUATION_PATTERN = new RegExp(
  `[\\p{P}!-\\/:-@[-\`{-~](?<![${toClass(UNICODE_DIFFERENCES.notPunctuation)}])|` +
    `[${toClass(UNICODE_DIFFERENCES.punctuation)}]`,
  "gu",
);

/** Ranges such as `21-2f 3a` as the inside of a character class. */
function toClass(ranges: string): string {
  return ranges.replace(/[0-9a-f]+/g, "\\u{$&}").replaceAll(" ", "");
}
