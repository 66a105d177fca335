import type { DataFolder, SourcedText } from "./data-folder.ts";
import { readLines } from "./data-folder.ts";
import { toSentiment } from "./to-sentiment.ts";

/** Chat lines. They come split into words; the blanks are taken out again, because users do not write them. */
export async function readChineseConversation(data: DataFolder): Promise<SourcedText[]> {
  const [, ...rows] = await readLines(data, "zh_conversation_sentiment/sentiment_XS_30k.txt");
  return rows.flatMap((row) => {
    const comma = row.indexOf(",");
    const label = row.slice(0, Math.max(comma, 0));
    if (label !== "positive" && label !== "negative") return [];
    const text = row.slice(comma + 1).replaceAll(" ", "");
    return [{ text, sentiment: label, source: "zh_conversation_sentiment", part: "all" }];
  });
}

const WEIBO_GROUPS: Readonly<Record<string, string>> = {
  快乐: "positive",
  正面: "positive",
  负面: "negative",
  愤怒: "negative",
  悲伤: "negative",
  恐惧: "negative",
  中性: "neutral",
  No_emotion: "neutral",
};

/** Clauses of microblog posts, words joined, @handles taken out. Rows of the emotion-cause task are no clauses. */
export async function readWeiboEmotion(data: DataFolder): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const row of await readLines(data, "zh_weibo_emotion/emotion_classification.tsv")) {
    const cells = row.split("\t");
    const start = cells.indexOf("beg_curclause");
    const end = cells.indexOf("end_curclause");
    if (start < 0 || end < start) continue;
    const labels = (cells[1] ?? "").split("+");
    const sentiment = toSentiment(new Set(labels.map((label) => WEIBO_GROUPS[label] ?? label)));
    if (sentiment === undefined) continue;
    const text = cells
      .slice(start + 1, end)
      .join("")
      .replace(/@[\p{L}\p{N}_-]+:?/gu, "");
    texts.push({ text, sentiment, source: "zh_weibo_emotion", part: "all" });
  }
  return texts;
}
