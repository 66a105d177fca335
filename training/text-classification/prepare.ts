import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findLeaks } from "../../src/model-tools/data/find-leaks.ts";
import type { SourcedText } from "../../src/model-tools/recipes/data-folder.ts";
import { createDataFolder } from "../../src/model-tools/recipes/data-folder.ts";
import { buildSentimentMix, hasPolarity } from "../../src/model-tools/recipes/sentiment-mix.ts";
import { toSha256 } from "../../src/model-tools/train/write-package.ts";

/**
 * Writes the English part of the sentiment mix that version 1 was trained on as JSON lines, for `train.py`: the same
 * texts, normalized as the server normalizes them, without duplicates, and disjoint from everything that is measured.
 * The same data files give the same output, byte for byte.
 *
 * Usage: node training/text-classification/prepare.ts DATA-FOLDER OUTPUT-FOLDER
 */

const CHINESE = new Set(["zh_conversation_sentiment", "zh_weibo_emotion", "xed_chinese"]);

/** @throws Error when a text that is measured is among those that are learned from. */
async function prepare(dataFolder: string, output: string): Promise<void> {
  const digests = new Map<string, string>();
  const data = createDataFolder(dataFolder, (path, bytes) => digests.set(path, toSha256(bytes)));
  const mix = await buildSentimentMix(data);
  const isUsed = (text: SourcedText) => hasPolarity(text) && !CHINESE.has(text.source);
  const training = mix.training.filter(isUsed);
  const validation = mix.validation.filter(isUsed);
  const seen = [...training, ...validation].map(({ text }) => text);
  await mkdir(output, { recursive: true });
  await writeExamples(output, "training", training);
  await writeExamples(output, "validation", validation);
  for (const { name, texts } of mix.tests) {
    if (name === "Chinese") continue;
    const { leaks } = findLeaks(
      seen,
      texts.map(({ text }) => text),
    );
    if (leaks.length > 0) throw new Error(`${leaks.length} texts of ${name} are in training.`);
    await writeExamples(output, name.toLowerCase().replaceAll(" ", "-"), texts);
  }
  const sorted = Object.fromEntries([...digests].sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(join(output, "data-sha256.json"), `${JSON.stringify(sorted, null, 2)}\n`);
}

async function writeExamples(
  folder: string,
  name: string,
  texts: readonly SourcedText[],
): Promise<void> {
  const lines = texts.map(({ text, sentiment, source }) =>
    JSON.stringify({ text, label: sentiment === "positive" ? 1 : 0, source }),
  );
  await writeFile(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
  process.stdout.write(`${name}: ${texts.length} texts\n`);
}

const [dataFolder, output] = process.argv.slice(2);
if (dataFolder === undefined || output === undefined) {
  process.stderr.write(
    "Usage: node training/text-classification/prepare.ts DATA-FOLDER OUTPUT-FOLDER\n",
  );
  process.exitCode = 2;
} else {
  await prepare(dataFolder, output);
}
