import type { DataFolder, SourcedText } from "./data-folder.ts";
import { readLines } from "./data-folder.ts";
import { toSentiment } from "./to-sentiment.ts";

/** Plutchik's emotions as XED numbers them; anticipation (2) and surprise (7) say neither. */
const EMOTION_GROUPS: Readonly<Record<string, string>> = {
  1: "negative",
  3: "negative",
  4: "negative",
  5: "positive",
  6: "negative",
  8: "positive",
};

const ENGLISH_FILE = "en-annotated";
const CHINESE_FILES = ["cn-projections", "zh-projections", "tw-projections"];

/** English movie-subtitle lines with emotions, and such without any. */
export async function readEnglishSubtitles(data: DataFolder): Promise<SourcedText[]> {
  const texts = await readEmotionLines(data, ENGLISH_FILE);
  for (const line of await readLines(data, "xed/neu_en.txt")) {
    const text = line.split("\t")[1];
    if (text !== undefined) {
      texts.push({ text, sentiment: "neutral", source: "xed", part: "neu_en" });
    }
  }
  return texts;
}

/** Chinese movie-subtitle lines, simplified and traditional; their labels were carried over from English. */
export async function readChineseSubtitles(data: DataFolder): Promise<SourcedText[]> {
  const files = await Promise.all(CHINESE_FILES.map((file) => readEmotionLines(data, file)));
  return files.flat();
}

async function readEmotionLines(data: DataFolder, file: string): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const line of await readLines(data, `xed/${file}.tsv`)) {
    // Some rows of the projections are of another kind (six columns, no emotion): they have no list of numbers at the end.
    const match = /^([^\t]*)\t([\d, ]+)$/.exec(line);
    const text = match?.[1];
    const ids = match?.[2]?.split(",").map((id) => id.trim());
    if (text === undefined || ids === undefined) continue;
    const groups = ids.map((id) => EMOTION_GROUPS[id]).filter((group) => group !== undefined);
    const sentiment = toSentiment(new Set(groups));
    const source = file === ENGLISH_FILE ? "xed" : "xed_chinese";
    if (sentiment !== undefined) texts.push({ text, sentiment, source, part: file });
  }
  return texts;
}
