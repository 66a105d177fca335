import { escapePattern } from "../added-token-finder.ts";
import { createFileError, isRecord } from "../tokenizer-file.ts";
import { createNormalizer } from "./create-normalizer.ts";
import type { ReadPattern } from "./create-pre-tokenizer.ts";
import { createPreTokenizer } from "./create-pre-tokenizer.ts";
import { createWordReader } from "./create-word-reader.ts";
import type { Library } from "./library.ts";
import type { ReadableFile } from "./readable-file.ts";
import { createAddedTokenSplitter } from "./split-added-tokens.ts";

/**
 * Everything between a text and its ids, without the special ones of `post_processor`: added tokens that are found in
 * the text as it stands, normalization, added tokens that are found after it, words, and the model's ids of each.
 *
 * @returns a function that may stop once it has more ids than `limit`
 * @throws SluiceError for parts of the file that are not supported
 */
export function createPipeline(
  { json, model, addedTokens }: ReadableFile,
  library: Library,
): (text: string, limit: number) => readonly number[] {
  const readPattern = createPatternReader(library);
  const normalize = createNormalizer(json["normalizer"], readPattern);
  const preTokenize = createPreTokenizer(json["pre_tokenizer"], readPattern);
  const readWord = createWordReader(model, library);
  const splitRaw = createAddedTokenSplitter(addedTokens.filter((token) => !token.isNormalized));
  const splitNormalized = createAddedTokenSplitter(
    addedTokens
      .filter((token) => token.isNormalized)
      .map((token) => ({ ...token, content: normalize(token.content) }))
      .filter(({ content }) => content !== ""),
  );

  const readSection = (section: string, isFirst: boolean, ids: number[], limit: number) => {
    for (const [i, part] of splitNormalized(normalize(section)).entries()) {
      if (typeof part === "number") ids.push(part);
      else {
        for (const word of preTokenize(part, isFirst && i === 0)) {
          if (ids.length > limit) return;
          readWord(word, ids);
        }
      }
    }
  };

  return (text, limit) => {
    const ids: number[] = [];
    for (const [i, section] of splitRaw(text.toWellFormed()).entries()) {
      if (ids.length > limit) break;
      if (typeof section === "number") ids.push(section);
      else readSection(section, i === 0, ids, limit);
    }
    return ids;
  };
}

/** The library translates the dialect of regular expressions in these files. */
function createPatternReader(library: Library): ReadPattern {
  return (pattern, name) => {
    const { String: literal, Regex: source } = isRecord(pattern) ? pattern : {};
    if (typeof literal === "string" && literal !== "") {
      return new RegExp(escapePattern(literal), "gu");
    }
    if (typeof source !== "string") {
      throw createFileError(`${name} must have a String or a Regex.`);
    }
    return translate(source, name, library);
  };
}

function translate(source: string, name: string, library: Library): RegExp {
  const settings = {
    type: "Split",
    pattern: { Regex: source },
    behavior: "Isolated",
    invert: false,
  };
  try {
    const { pattern } = new library.SplitPreTokenizer(settings);
    if (pattern !== null) return pattern;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : "unknown";
    throw createFileError(`${name} is a regular expression that is not supported: ${reason}`);
  }
  throw createFileError(`${name} is not supported.`);
}
