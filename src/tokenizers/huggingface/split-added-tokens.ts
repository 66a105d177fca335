import { createAddedTokenFinder } from "../added-token-finder.ts";
import type { AddedToken } from "../tokenizer-file.ts";

/** An added token with the conditions of a `tokenizer.json` under which it counts. */
export interface ConditionalToken extends AddedToken {
  /** Only where it is no part of a longer word. */
  readonly isSingleWord: boolean;
  /** Whether the blanks before and behind it go with it. */
  readonly takesBlanksBefore: boolean;
  readonly takesBlanksAfter: boolean;
}

/** Part of a text: the id of an added token, or text between them. */
export type TextSection = number | string;

const WORD_CHARACTER = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const ENDS_WITH_WORD = new RegExp(`${WORD_CHARACTER}$`, "u");
const STARTS_WITH_WORD = new RegExp(`^${WORD_CHARACTER}`, "u");

/** Finds the added tokens in a text, from left to right, the longest first. No section is empty. */
export function createAddedTokenSplitter(
  tokens: readonly ConditionalToken[],
): (text: string) => readonly TextSection[] {
  const find = createAddedTokenFinder(tokens);
  return (text) => {
    const sections: TextSection[] = [];
    let done = 0;
    let from = 0;
    for (let match = find(text, from); match !== undefined; match = find(text, from)) {
      const { at, token } = match;
      from = at + token.content.length;
      if (token.isSingleWord && isInWord(text, at, from)) continue;
      const start = token.takesBlanksBefore ? skipBlanksBefore(text, at, done) : at;
      if (start > done) sections.push(text.slice(done, start));
      sections.push(token.id);
      done = token.takesBlanksAfter ? skipBlanksAfter(text, from) : from;
    }
    if (done < text.length) sections.push(text.slice(done));
    return sections;
  };
}

function isInWord(text: string, from: number, to: number): boolean {
  return (
    ENDS_WITH_WORD.test(text.slice(Math.max(0, from - 2), from)) ||
    STARTS_WITH_WORD.test(text.slice(to, to + 2))
  );
}

function skipBlanksBefore(text: string, at: number, least: number): number {
  let start = at;
  while (start > least && isBlank(text.charAt(start - 1))) start--;
  return start;
}

function skipBlanksAfter(text: string, at: number): number {
  let end = at;
  while (end < text.length && isBlank(text.charAt(end))) end++;
  return end;
}

function isBlank(character: string): boolean {
  return /\p{White_Space}/u.test(character);
}
