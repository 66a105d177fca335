import { createFileError, readRecord } from "../tokenizer-file.ts";
import { encodeAsByteLevel } from "./byte-level.ts";
import { PUNCTUATION_PATTERN } from "./punctuation-pattern.ts";
import type { SplitBehavior, TextSplit } from "./split-text.ts";
import { SPLIT_BEHAVIORS, splitText } from "./split-text.ts";

/**
 * Cuts a normalized text into the words that the model looks at one by one.
 *
 * @param isFirst whether nothing stands before it in what is encoded
 */
export type PreTokenize = (text: string, isFirst: boolean) => readonly string[];

/** Reads a pattern of a `tokenizer.json`: `{ "String": … }` or `{ "Regex": … }`. The result has the flag `g`. */
export type ReadPattern = (pattern: unknown, name: string) => RegExp;

/** How GPT-2 cuts a text into words, each with the blank before it. */
const BYTE_LEVEL_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const BLANK = /\p{White_Space}/gu;
/** Letters, marks, digits and underscores; or what is neither that nor a blank. */
const WORDS_OR_SIGNS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/**
 * What `pre_tokenizer` of a `tokenizer.json` does to a text, as the Hugging Face tokenizers (Python) do it.
 *
 * @throws SluiceError for one that is not known, or that lacks what it needs
 */
export function createPreTokenizer(preTokenizer: unknown, readPattern: ReadPattern): PreTokenize {
  if (preTokenizer === null || preTokenizer === undefined) return (text) => [text];
  const config = readRecord(preTokenizer, "pre_tokenizer");
  switch (config["type"]) {
    case "Sequence":
      return createSequence(config["pretokenizers"], readPattern);
    case "ByteLevel":
      return createByteLevel(config);
    case "Metaspace":
      return createMetaspace(config, readPattern);
    case "BertPreTokenizer":
      return createBert();
    case "Whitespace":
      return createSplit({ pattern: WORDS_OR_SIGNS, behavior: "Removed", invert: true });
    case "WhitespaceSplit":
      return createSplit({ pattern: BLANK, behavior: "Removed", invert: false });
    case "Punctuation": {
      const behavior = readBehavior(config["behavior"] ?? "Isolated");
      return createSplit({ pattern: PUNCTUATION_PATTERN, behavior, invert: false });
    }
    case "Digits": {
      const behavior = config["individual_digits"] === true ? "Isolated" : "Contiguous";
      return createSplit({ pattern: /\p{N}/gu, behavior, invert: false });
    }
    case "CharDelimiterSplit": {
      const pattern = readPattern({ String: config["delimiter"] }, "pre_tokenizer.delimiter");
      return createSplit({ pattern, behavior: "Removed", invert: false });
    }
    case "Split":
      return createSplit({
        pattern: readPattern(config["pattern"], "pre_tokenizer.pattern"),
        behavior: readBehavior(config["behavior"]),
        invert: config["invert"] === true,
      });
    default:
      throw createFileError(
        `pre_tokenizer.type ${JSON.stringify(config["type"])} is not supported.`,
      );
  }
}

function createSequence(preTokenizers: unknown, readPattern: ReadPattern): PreTokenize {
  if (!Array.isArray(preTokenizers)) {
    throw createFileError("pre_tokenizer.pretokenizers must be an array.");
  }
  const steps = preTokenizers.map((one: unknown) => createPreTokenizer(one, readPattern));
  return (text, isFirst) => {
    let words: readonly string[] = [text];
    for (const step of steps) {
      words = words.flatMap((word, i) => step(word, isFirst && i === 0 && text.startsWith(word)));
    }
    return words;
  };
}

function createSplit(split: TextSplit): PreTokenize {
  return (text) => splitText(text, split);
}

function createBert(): PreTokenize {
  const isolate: TextSplit = { pattern: PUNCTUATION_PATTERN, behavior: "Isolated", invert: false };
  const words: TextSplit = { pattern: BLANK, behavior: "Removed", invert: false };
  return (text) => splitText(text, words).flatMap((word) => splitText(word, isolate));
}

function createByteLevel(config: Readonly<Record<string, unknown>>): PreTokenize {
  const { add_prefix_space: addsBlank, use_regex: cuts = true } = config;
  const split: TextSplit = { pattern: BYTE_LEVEL_WORDS, behavior: "Isolated", invert: false };
  return (text) => {
    const whole = addsBlank === true && !text.startsWith(" ") ? ` ${text}` : text;
    return (cuts === true ? splitText(whole, split) : [whole]).map(encodeAsByteLevel);
  };
}

function createMetaspace(
  config: Readonly<Record<string, unknown>>,
  readPattern: ReadPattern,
): PreTokenize {
  const { replacement = "▁", add_prefix_space: legacy, split = true } = config;
  if (typeof replacement !== "string" || [...replacement].length !== 1) {
    throw createFileError("pre_tokenizer.replacement must be one character.");
  }
  const scheme = legacy === false ? "never" : (config["prepend_scheme"] ?? "always");
  if (scheme !== "always" && scheme !== "first" && scheme !== "never") {
    throw createFileError("pre_tokenizer.prepend_scheme must be always, first or never.");
  }
  const pattern = readPattern({ String: replacement }, "pre_tokenizer.replacement");
  return (text, isFirst) => {
    const replaced = text.replaceAll(" ", replacement);
    const isPrefixed = scheme === "always" || (scheme === "first" && isFirst);
    const whole =
      isPrefixed && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
    return split === true
      ? splitText(whole, { pattern, behavior: "MergedWithNext", invert: false })
      : [whole];
  };
}

function readBehavior(value: unknown): SplitBehavior {
  const behavior = SPLIT_BEHAVIORS.find((one) => one === value);
  if (behavior !== undefined) return behavior;
  throw createFileError(`pre_tokenizer.behavior must be one of ${SPLIT_BEHAVIORS.join(", ")}.`);
}
