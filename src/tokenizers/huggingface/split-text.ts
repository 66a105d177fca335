/**
 * What becomes of the places where a pattern matches: separate pieces, gone, or part of the piece before, of the piece
 * after, or of the match beside them. Named as in `behavior` of a `tokenizer.json`.
 */
export const SPLIT_BEHAVIORS = [
  "Isolated",
  "Removed",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
] as const;

export type SplitBehavior = (typeof SPLIT_BEHAVIORS)[number];

export interface TextSplit {
  /** With the flag `g`. */
  readonly pattern: RegExp;
  readonly behavior: SplitBehavior;
  /** Whether what lies between the matches counts as the matches. */
  readonly invert: boolean;
}

interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Cuts a text where a pattern matches. No piece is empty, so an empty text has none. */
export function splitText(text: string, { pattern, behavior, invert }: TextSplit): string[] {
  const pieces = findPieces(text, pattern, invert);
  if (behavior === "Isolated") return pieces.map((piece) => piece.text);
  if (behavior === "Removed") {
    return pieces.filter(({ isMatch }) => !isMatch).map((piece) => piece.text);
  }
  return merge(pieces, (piece, before) => {
    if (behavior === "Contiguous") return piece.isMatch === before.isMatch;
    return behavior === "MergedWithPrevious"
      ? piece.isMatch && !before.isMatch
      : before.isMatch && !piece.isMatch;
  });
}

function findPieces(text: string, pattern: RegExp, invert: boolean): readonly Piece[] {
  const pieces: Piece[] = [];
  const add = (from: number, to: number, isMatch: boolean) => {
    if (to > from) pieces.push({ text: text.slice(from, to), isMatch: isMatch !== invert });
  };
  let end = 0;
  // Not matchAll: it makes a new expression every time, which costs more than a word does.
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    add(end, match.index, false);
    end = match.index + match[0].length;
    add(match.index, end, true);
    if (match[0] === "") pattern.lastIndex = end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  add(end, text.length, false);
  return pieces;
}

/** Joins neighbours that belong together, looking at the pieces as they were found. */
function merge(
  pieces: readonly Piece[],
  belongs: (piece: Piece, before: Piece) => boolean,
): string[] {
  const merged: string[] = [];
  let before: Piece | undefined;
  for (const piece of pieces) {
    const last = merged.length - 1;
    if (before !== undefined && belongs(piece, before)) merged[last] += piece.text;
    else merged.push(piece.text);
    before = piece;
  }
  return merged;
}
