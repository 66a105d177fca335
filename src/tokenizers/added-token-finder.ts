import type { AddedToken } from "./tokenizer-file.ts";

/** A place where an added token stands in a text. */
export interface AddedTokenMatch<Token extends AddedToken> {
  readonly at: number;
  readonly token: Token;
}

/** The first added token at or after `from`; the longest where several begin at the same place. */
export type FindAddedToken<Token extends AddedToken> = (
  text: string,
  from: number,
) => AddedTokenMatch<Token> | undefined;

/** Texts hardly ever contain one: looking for the units with which they begin answers at once. */
export function createAddedTokenFinder<Token extends AddedToken>(
  tokens: readonly Token[],
): FindAddedToken<Token> {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const firsts = [...new Set(tokens.map(({ content }) => content.charAt(0)))];
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "g");
  return (text, from) => {
    if (!firsts.some((first) => text.includes(first, from))) return undefined;
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    const token = byContent.get(match?.[0] ?? "");
    return match === null || token === undefined ? undefined : { at: match.index, token };
  };
}

/** A regular expression for a text as it is written. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
