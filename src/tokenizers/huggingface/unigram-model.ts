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
  const scores = Float64Array.from(vocabulary, ([, score]) => toReferenceScore(score));
  const unknownScore = scores.reduce((a, b) => Math.min(a, b)) - UNKNOWN_PENALTY;
  const byteIds = usesBytes ? readByteIds(vocabulary) : undefined;

  /** Offers `ways` every token that begins at `from`. @returns where the next character begins */
  const extend = (ways: BestWays, word: string, from: number): number => {
    const next = from + ((word.codePointAt(from) ?? 0) > 0xffff ? 2 : 1);
    const till = ways.scoreOf(from);
    let isKnown = false;
    let node = PrefixTree.ROOT;
    for (let to = from; to < word.length; ) {
      node = tree.step(node, word.charCodeAt(to++));
      if (node < 0) break;
      const token = tree.valueOf(node);
      if (token < 0) continue;
      ways.offer(from, to, token, till + (scores[token] as number));
      if (to === next) isKnown = true;
    }
    if (!isKnown) ways.offer(from, next, unknownId, till + unknownScore);
    return next;
  };

  const addUnknown = (text: string, ids: number[]): void => {
    const bytes = byteIds === undefined ? [] : [...new TextEncoder().encode(text)];
    const found = bytes.map((byte) => byteIds?.[byte]).filter((id) => id !== undefined);
    if (found.length > 0 && found.length === bytes.length) ids.push(...found);
    else ids.push(unknownId);
  };

  return (word, ids) => {
    const ways = new BestWays(word.length);
    for (let from = 0; from < word.length; ) from = extend(ways, word, from);
    let from = 0;
    const steps = ways.collect();
    for (const [i, { to, token }] of steps.entries()) {
      if (token === unknownId && steps[i + 1]?.token === unknownId) continue;
      if (token === unknownId) addUnknown(word.slice(from, to), ids);
      else ids.push(token);
      from = to;
    }
  };
}

/** The best way to every place of a word that was found so far. */
class BestWays {
  readonly #scores: Float64Array;
  readonly #starts: Int32Array;
  readonly #tokens: Int32Array;

  constructor(length: number) {
    this.#scores = new Float64Array(length + 1);
    this.#starts = new Int32Array(length + 1).fill(-1);
    this.#tokens = new Int32Array(length + 1);
  }

  scoreOf(place: number): number {
    return this.#scores[place] as number;
  }

  /** A way to `to` whose last token begins at `from`; it counts only when it is better than what is known. */
  offer(from: number, to: number, token: number, score: number): void {
    if ((this.#starts[to] as number) >= 0 && score <= this.scoreOf(to)) return;
    this.#scores[to] = score;
    this.#starts[to] = from;
    this.#tokens[to] = token;
  }

  /** The tokens of the best way to the end, in order, and where they end. */
  collect(): readonly { readonly to: number; readonly token: number }[] {
    const steps: { readonly to: number; readonly token: number }[] = [];
    for (let to = this.#starts.length - 1; to > 0; to = this.#starts[to] as number) {
      steps.push({ to, token: this.#tokens[to] as number });
    }
    return steps.reverse();
  }
}

/**
 * The number that the reference reads for a score. Its JSON parser (serde_json) reads all digits as one whole number and
 * then divides by a power of ten, which rounds twice; the last bit decides among ways that are exactly as likely.
 */
function toReferenceScore(score: number): number {
  const [, sign, whole, fraction] = /^(-?)(\d+)\.(\d+)$/.exec(String(score)) ?? [];
  if (whole === undefined || fraction === undefined || fraction.length > 22) return score;
  const digits = Number(BigInt(whole + fraction));
  return ((sign === "-" ? -1 : 1) * digits) / 10 ** fraction.length;
}

function readByteIds(
  vocabulary: readonly (readonly [token: string, score: number])[],
): readonly (number | undefined)[] {
  const ids = new Map(vocabulary.map(([token], i) => [token, i]));
  return Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
}
