import type { AddedToken } from "../tokenizer-file.ts";

/** A place where an added token stands in a text. */
export interface AddedTokenMatch {
  readonly at: number;
  readonly token: AddedToken;
}

/** The first added token at or after `from`; the longest where several begin at the same place. */
export type FindAddedToken = (text: string, from: number) => AddedTokenMatch | undefined;

/** Texts hardly ever contain one: looking for the units with which they begin answers at once. */
export function createAddedTokenFinder(tokens: readonly AddedToken[]): FindAddedToken {
  const longestFirst = [...tokens].sort((a, b) => b.content.length - a.content.length);
  const byFirst = Map.groupBy(longestFirst, ({ content }) => content.charAt(0));
  return (text, from) => {
    let found: AddedTokenMatch | undefined;
    for (const [first, candidates] of byFirst) {
      let at = text.indexOf(first, from);
      while (at >= 0 && (found === undefined || at < found.at)) {
        const place = at;
        const token = candidates.find(({ content }) => text.startsWith(content, place));
        if (token !== undefined) found = { at, token };
        at = token === undefined ? text.indexOf(first, at + 1) : -1;
      }
    }
    return found;
  };
}
