import { normalizeText } from "../../core/text/normalize.ts";
import { toTextKey } from "../data/text-key.ts";
import { splitExamples } from "../train/split-examples.ts";
import { readChineseConversation, readWeiboEmotion } from "./chinese-sources.ts";
import type { DataFolder, SourcedText } from "./data-folder.ts";
import { readLines } from "./data-folder.ts";
import {
  readGoEmotions,
  readMovieReviews,
  readOpinionLexicon,
  readProductReviews,
  readProsCons,
  readSentencePolarity,
} from "./english-sources.ts";
import { readChineseSubtitles, readEnglishSubtitles } from "./subtitle-sources.ts";

/** A set that the model is measured on and never learns from. */
export interface TestSet {
  readonly name: string;
  readonly texts: readonly SourcedText[];
}

/** Everything the recipe trains on and measures on. No text of a test set is in `training` or `validation`. */
export interface SentimentMix {
  /** Distinct texts, neutral ones included. */
  readonly training: readonly SourcedText[];
  /** Distinct texts of the same sources for early stopping and calibration; positive and negative only. */
  readonly validation: readonly SourcedText[];
  readonly tests: readonly TestSet[];
}

/** Two products of kinds that no other product file is about: what the model makes of them shows how it transfers. */
const HELD_OUT_PRODUCTS = ["set2_Diaper_Champ", "set2_norton"];
const CHINESE_TEST_SHARE = 0.1;
const VALIDATION_SHARE = 0.05;

/** Reads all sources and brings them into disjoint parts. The same files always give the same mix in the same order. */
export async function buildSentimentMix(data: DataFolder): Promise<SentimentMix> {
  const [sst2Dev, goEmotionsDev] = await Promise.all([
    readSst2Dev(data),
    readGoEmotions(data, "dev"),
  ]);
  const products = await readProductReviews(data);
  const heldOutProducts = products.filter(({ part }) => HELD_OUT_PRODUCTS.includes(part));
  const chinese = deduplicate([
    ...(await readChineseConversation(data)),
    ...(await readWeiboEmotion(data)),
  ]);
  const chineseSplit = splitExamples(chinese, CHINESE_TEST_SHARE, "chinese test");
  const tests: TestSet[] = [
    { name: "SST-2 dev", texts: sst2Dev },
    { name: "GoEmotions dev", texts: goEmotionsDev.filter(hasPolarity) },
    { name: "Unseen products", texts: heldOutProducts.filter(hasPolarity) },
    { name: "Chinese", texts: chineseSplit.heldOut.filter(hasPolarity) },
  ];
  const untouchable = [...sst2Dev, ...goEmotionsDev, ...heldOutProducts, ...chineseSplit.heldOut];
  const learnable = deduplicate([
    ...(await readSentencePolarity(data)),
    ...(await readProsCons(data)),
    ...products,
    ...(await readGoEmotions(data, "train")),
    ...(await readEnglishSubtitles(data)),
    ...(await readMovieReviews(data)),
    ...chineseSplit.kept,
    ...(await readChineseSubtitles(data)),
    ...(await readOpinionLexicon(data)),
  ]);
  const split = splitExamples(removeTexts(learnable, untouchable), VALIDATION_SHARE, "validation");
  const isJudge = (text: SourcedText) => hasPolarity(text) && text.source !== "opinion_lexicon";
  return {
    training: [...split.kept, ...split.heldOut.filter((text) => !isJudge(text))],
    validation: split.heldOut.filter(isJudge),
    tests,
  };
}

/** True for a text that is positive or negative. */
export function hasPolarity({ sentiment }: SourcedText): boolean {
  return sentiment !== "neutral";
}

async function readSst2Dev(data: DataFolder): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const line of await readLines(data, "evalonly_sst2_dev/dev.tsv")) {
    const [text, label] = line.split("\t");
    if (text === undefined || label === undefined) continue;
    const sentiment = label === "1" ? "positive" : "negative";
    texts.push({ text, sentiment, source: "evalonly_sst2_dev", part: "dev" });
  }
  return texts;
}

/**
 * One entry per distinct text (see {@link toTextKey}), normalized, in order of first occurrence. Where equal texts
 * disagree the majority of positive and negative decides; a tie drops the text; neutral never outvotes.
 */
export function deduplicate(texts: readonly SourcedText[]): SourcedText[] {
  const groups = new Map<string, { first: SourcedText; balance: number; polar: boolean }>();
  for (const text of texts) {
    const normalized = normalizeText(text.text);
    if (normalized === "") continue;
    const key = toTextKey(normalized);
    const group = groups.get(key) ?? {
      first: { ...text, text: normalized },
      balance: 0,
      polar: false,
    };
    if (hasPolarity(text)) {
      group.balance += text.sentiment === "positive" ? 1 : -1;
      group.polar = true;
    }
    groups.set(key, group);
  }
  return [...groups.values()]
    .filter(({ balance, polar }) => !polar || balance !== 0)
    .map(({ first, balance }) => ({
      ...first,
      sentiment: balance > 0 ? "positive" : balance < 0 ? "negative" : "neutral",
    }));
}

function removeTexts(
  texts: readonly SourcedText[],
  unwanted: readonly SourcedText[],
): SourcedText[] {
  const keys = new Set(unwanted.map(({ text }) => toTextKey(text)));
  return texts.filter(({ text }) => !keys.has(toTextKey(text)));
}
