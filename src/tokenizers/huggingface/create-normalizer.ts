import { createFileError, readRecord } from "../tokenizer-file.ts";
import type { BertNormalizerSettings } from "../wordpiece/character-table.ts";
import { CHARACTER_KIND, CharacterTable } from "../wordpiece/character-table.ts";
import { readBertNormalizer } from "../wordpiece/wordpiece-file.ts";
import { encodeAsByteLevel } from "./byte-level.ts";
import type { ReadPattern } from "./create-pre-tokenizer.ts";
import { createPrecompiledNormalizer } from "./precompiled-map.ts";

export type Normalize = (text: string) => string;

const UNICODE_FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;
/** Removed by Nmt, and what it takes for blanks: the rules of the "NMT" normalizations of SentencePiece. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NMT_REMOVED = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g;
const NMT_BLANK = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/**
 * What `normalizer` of a `tokenizer.json` does to a text, as the Hugging Face tokenizers (Python) do it.
 *
 * @throws SluiceError for one that is not known, or that lacks what it needs
 */
export function createNormalizer(normalizer: unknown, readPattern: ReadPattern): Normalize {
  if (normalizer === null || normalizer === undefined) return (text) => text;
  const config = readRecord(normalizer, "normalizer");
  const { type } = config;
  const form = UNICODE_FORMS.find((one) => one === type);
  if (form !== undefined) return (text) => text.normalize(form);
  switch (type) {
    case "Sequence":
      return createSequence(config["normalizers"], readPattern);
    case "Lowercase":
      return lowercase;
    case "StripAccents":
      return (text) => text.replace(/\p{M}+/gu, "");
    case "Strip":
      return createStrip(config);
    case "Replace":
      return createReplace(config, readPattern);
    case "Prepend":
      return createPrepend(config["prepend"]);
    case "Nmt":
      return (text) => text.replace(NMT_REMOVED, "").replace(NMT_BLANK, " ");
    case "ByteLevel":
      return encodeAsByteLevel;
    case "Precompiled":
      return createPrecompiledNormalizer(config["precompiled_charsmap"]);
    case "BertNormalizer":
      return createBertNormalizer(readBertNormalizer(config));
    default:
      throw createFileError(`normalizer.type ${JSON.stringify(type)} is not supported.`);
  }
}

function createSequence(normalizers: unknown, readPattern: ReadPattern): Normalize {
  if (!Array.isArray(normalizers)) {
    throw createFileError("normalizer.normalizers must be an array.");
  }
  const steps = normalizers.map((one: unknown) => createNormalizer(one, readPattern));
  return (text) => steps.reduce((normalized, step) => step(normalized), text);
}

/** Letter by letter: JavaScript alone knows the rule for the last sigma of a word, and only that one looks around. */
function lowercase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}

function createStrip(config: Readonly<Record<string, unknown>>): Normalize {
  const { strip_left: left = true, strip_right: right = true } = config;
  return (text) => {
    const started = left ? text.replace(/^\p{White_Space}+/u, "") : text;
    return right ? started.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, "") : started;
  };
}

function createReplace(
  config: Readonly<Record<string, unknown>>,
  readPattern: ReadPattern,
): Normalize {
  const { content } = config;
  if (typeof content !== "string") throw createFileError("normalizer.content must be a text.");
  const pattern = readPattern(config["pattern"], "normalizer.pattern");
  return (text) => text.replace(pattern, () => content);
}

function createPrepend(prefix: unknown): Normalize {
  if (typeof prefix !== "string") throw createFileError("normalizer.prepend must be a text.");
  return (text) => (text === "" ? "" : prefix + text);
}

function createBertNormalizer(settings: BertNormalizerSettings): Normalize {
  const table = new CharacterTable(settings);
  const read = (character: string): string => {
    const code = character.codePointAt(0) ?? 0;
    const isAstral = code > 0xffff;
    const kind = isAstral ? table.astralKindOf(code) : table.kindOf(code);
    if (kind === CHARACTER_KIND.dropped) return "";
    if (kind === CHARACTER_KIND.blank && settings.cleanText) return " ";
    const mapped = isAstral ? table.astralMapped(code) : (table.mapped[code] as number);
    const codes = kind === CHARACTER_KIND.several ? table.severalOf(code) : [mapped];
    const text = String.fromCodePoint(...codes);
    return table.isChinese(code) ? ` ${text} ` : text;
  };
  const known = new Map<string, string>();
  const remember = (character: string): string => {
    const normalized = read(character);
    // Of the basic plane only: enough for what is common, and bounded.
    if (character.length === 1) known.set(character, normalized);
    return normalized;
  };
  return (text) => {
    let normalized = "";
    for (const character of text) normalized += known.get(character) ?? remember(character);
    return normalized;
  };
}
