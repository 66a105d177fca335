import { Buffer } from "node:buffer";
import { createFileError } from "../tokenizer-file.ts";

/** Longer groups of characters are looked up one character at a time. Bytes of UTF-8. */
const MAX_GROUP_BYTES = 5;

/**
 * Reads `precompiled_charsmap`, the compiled normalization of SentencePiece, and returns what it does to a text.
 *
 * Format: a 32-bit number of bytes, then as many of a double-array trie (Darts-clone by Susumu Yata) over UTF-8, then
 * the replacements, each ended by a zero byte; the trie's values are offsets into them. As in the Hugging Face
 * tokenizers, a group of characters that people see as one is looked up first as a whole and then one by one, and the
 * shortest beginning that the trie knows decides for all of it.
 *
 * @param base64 as it stands in a `tokenizer.json`
 * @throws SluiceError when it is not of this form
 */
export function createPrecompiledNormalizer(base64: unknown): (text: string) => string {
  const bytes = typeof base64 === "string" ? Buffer.from(base64, "base64") : Buffer.alloc(0);
  const trieBytes = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > bytes.length - 4) {
    throw createFileError("normalizer.precompiled_charsmap is not a map in Base64.");
  }
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const replacements = bytes.subarray(4 + trieBytes);
  const known = new Map<number, string>();

  const lookUp = (key: Uint8Array): string | undefined => {
    const at = findShortest(trie, key);
    if (at === undefined) return undefined;
    const cached = known.get(at);
    if (cached !== undefined) return cached;
    const end = replacements.indexOf(0, at);
    const replacement = replacements.toString("utf8", at, end < 0 ? replacements.length : end);
    known.set(at, replacement);
    return replacement;
  };

  const replaceGroup = (group: string): string => {
    const key = Buffer.from(group);
    const whole = key.length <= MAX_GROUP_BYTES ? lookUp(key) : undefined;
    if (whole !== undefined) return whole;
    return Array.from(group, (character) => lookUp(Buffer.from(character)) ?? character).join("");
  };

  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const keepsPrintable = printable.every(
    (character) => lookUp(Buffer.from(character)) === undefined,
  );
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  return (text) => {
    if (keepsPrintable && /^[ -~]*$/.test(text)) return text;
    let normalized = "";
    for (const { segment } of segmenter.segment(text)) normalized += replaceGroup(segment);
    return normalized;
  };
}

/** The value of the shortest beginning of `key` that the trie has. */
function findShortest(trie: Uint32Array, key: Uint8Array): number | undefined {
  let place = offsetOf(trie[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return undefined;
    place ^= byte;
    const unit = trie[place] ?? 0;
    if ((unit & 0x800000ff) !== byte) return undefined;
    place ^= offsetOf(unit);
    if ((unit & 0x100) !== 0) return (trie[place] ?? 0) & 0x7fffffff;
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
