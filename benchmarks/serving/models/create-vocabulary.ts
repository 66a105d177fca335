/**
 * Words kept whole, the most frequent first. With so many, the texts become as long as with the vocabulary of
 * MiniLM: 20 ids for a short text and 43 for a mixed one, on average.
 */
const WHOLE_WORDS = 9000;
/** Lengths of the endings that rarer words are put together of. */
const LONGEST_PIECE = 4;
/** Runs of letters, digits and marks, or one sign. */
const WORD = /[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu;

/**
 * A WordPiece vocabulary of words, word endings (`##ing`) and single characters of the given texts, without the special
 * tokens. Every word of them can be put together of it. The same texts always give the same vocabulary.
 *
 * @param size most tokens
 */
export function createVocabulary(texts: readonly string[], size: number): readonly string[] {
  const counts = countWords(texts);
  const characters = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort();
  const tokens = new Set<string>();
  const addAll = (more: Iterable<string>, most: number) => {
    for (const token of more) {
      if (tokens.size >= most) return;
      tokens.add(token);
    }
  };
  addAll(characters, size);
  addAll(
    characters.map((character) => `##${character}`),
    size,
  );
  addAll(byFrequency(counts), Math.min(size, tokens.size + WHOLE_WORDS));
  const rare = new Map([...counts].filter(([word]) => !tokens.has(word)));
  addAll(byFrequency(countPieces(rare)), size);
  return [...tokens];
}

/** Words as BERT's uncased tokenizer sees them: lower case, without accents. */
function countWords(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const plain = text
      .toLowerCase()
      .normalize("NFD")
      .replace(/\p{Mn}/gu, "");
    for (const [word] of plain.matchAll(WORD)) add(counts, word, 1);
  }
  return counts;
}

/** Beginnings, and what can follow them. */
function countPieces(words: ReadonlyMap<string, number>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (let start = 0; start < word.length; start++) {
      for (let length = 2; length <= LONGEST_PIECE && start + length <= word.length; length++) {
        const piece = word.slice(start, start + length);
        add(counts, start === 0 ? piece : `##${piece}`, count);
      }
    }
  }
  return counts;
}

function byFrequency(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([word]) => word);
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
