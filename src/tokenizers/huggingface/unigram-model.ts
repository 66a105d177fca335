import { PrefixTree } from "./prefix-tree.ts";

/** Puts the ids of one word behind those in `ids`. */
export type ReadWord = (word: string, ids: number[]) => void;

export interface UnigramModel {
  /** Tokens and the logarithms of their probabilities; a token's id is its place. */
  readonly vocabulary: readonly (readonly [token: string, score: number])[];
  readonly unknownId: number;
  /** Whether unknown characters become the tokens of their UTF-8 bytes, such as `<0xE4>`. */
  readonly usesBytes: boolean;
}

/** How much less likely an unknown character is than the least likely token. As in SentencePiece. */
const UNKNOWN_PENALTY = 10;

/**
 * Cuts a word into the tokens that are most likely together (Kudo, "Subword Regularization", ACL 2018), in one pass that
 * keeps the best way to every place, as SentencePiece and the Hugging Face tokenizers do. Among ways that are exactly as
 * likely, the one found first stays, which is theirs too. Neighbouring unknown characters become one unknown token.
 *
 * Time: characters times the length of the longest token.
 */
export function createUnigramReader({ vocabulary, unknownId, usesBytes }: UnigramModel): ReadWord {
  const tree = new PrefixTree();
  for (const [i, [token]] of vocabulary.entries()) tree.add(token, i);
  const scores = Float64Array.from(vocabulary, ([, score]) => score);
  const unknownScore = scores.reduce((a, b) => Math.min(a, b)) - UNKNOWN_PENALTY;
  const byteIds = usesBytes ? readByteIds(vocabulary) : undefined;

  return (word, ids) => {
    const best = new Float64Array(word.length + 1);
    const starts = new Int32Array(word.length + 1).fill(-1);
    const tokens = new Int32Array(word.length + 1);
    const offer = (from: number, to: number, token: number, score: number) => {
      if ((starts[to] as number) >= 0 && score <= (best[to] as number)) return;
      best[to] = score;
      starts[to] = from;
      tokens[to] = token;
    };
    for (let from = 0; from < word.length; ) {
      const till = best[from] as number;
      const next = from + ((word.codePointAt(from) ?? 0) > 0xffff ? 2 : 1);
      let isKnown = false;
      let node = PrefixTree.ROOT;
      for (let to = from; to < word.length; ) {
        node = tree.step(node, word.charCodeAt(to++));
        if (node < 0) break;
        const token = tree.valueOf(node);
        if (token < 0) continue;
        offer(from, to, token, till + (scores[token] as number));
        if (to === next) isKnown = true;
      }
      if (!isKnown) offer(from, next, unknownId, till + unknownScore);
      from = next;
    }
    const ends = collectEnds(word.length, starts);
    for (let i = 0, from = 0; i < ends.length; i++) {
      const to = ends[i] as number;
      const token = tokens[to] as number;
      const isFused = token === unknownId && tokens[ends[i + 1] ?? 0] === unknownId;
      if (isFused && i + 1 < ends.length) continue;
      if (token === unknownId) addUnknown(word.slice(from, to), ids);
      else ids.push(token);
      from = to;
    }
  };

  function addUnknown(text: string, ids: number[]): void {
    const bytes = byteIds === undefined ? [] : [...new TextEncoder().encode(text)];
    const found = bytes.map((byte) => byteIds?.[byte]).filter((id) => id !== undefined);
    if (found.length > 0 && found.length === bytes.length) ids.push(...found);
    else ids.push(unknownId);
  }
}

/** Where the tokens of the best way end, in order. */
function collectEnds(length: number, starts: Int32Array): readonly number[] {
  const ends: number[] = [];
  for (let end = length; end > 0; end = starts[end] as number) ends.push(end);
  return ends.reverse();
}

function readByteIds(
  vocabulary: readonly (readonly [token: string, score: number])[],
): readonly (number | undefined)[] {
  const ids = new Map(vocabulary.map(([token], i) => [token, i]));
  return Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
}
