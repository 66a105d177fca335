import { expect, test } from "vitest";
import type { DataFolder, Sentiment, SourcedText } from "./data-folder.ts";
import { readProductReviews, readSentencePolarity } from "./english-sources.ts";
import { buildSentimentMix, deduplicate } from "./sentiment-mix.ts";
import { toTrainingExamples } from "./sentiment-weights.ts";

function createText(text: string, sentiment: Sentiment, source = "goemotions"): SourcedText {
  return { text, sentiment, source, part: "train" };
}

/** A tiny copy of every data set. Blank files stand for sets that the test says nothing about. */
function createMemoryFolder(files: Readonly<Record<string, string>>): DataFolder {
  return {
    readText: async (path) => files[path] ?? (path.endsWith(".json") ? "{}" : ""),
    listFiles: async (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
  };
}

test("equal texts become one: the majority decides, a tie drops, neutral never outvotes", () => {
  const texts = deduplicate([
    createText("Fine film.", "positive"),
    createText("fine film", "negative"),
    createText("FINE, film", "positive"),
    createText("tie", "positive"),
    createText("Tie!", "negative"),
    createText("ok", "neutral"),
    createText("OK", "negative"),
    createText("  ", "positive"),
  ]);
  expect(texts.map(({ text, sentiment }) => [text, sentiment])).toEqual([
    ["Fine film.", "positive"],
    ["ok", "negative"],
  ]);
});

test("no text of a test set is trained on, however it is written and labelled", async () => {
  const mix = await buildSentimentMix(
    createMemoryFolder({
      "evalonly_sst2_dev/dev.tsv": "a fine , fine film\t1\n",
      "pros_cons/IntegratedPros.txt": "<Pros>A fine, FINE film!</Pros>\n<Pros>sturdy</Pros>\n",
      "product_reviews/set2_norton.txt": "##slow\nuse[-1]##hangs a lot\n",
      "pros_cons/IntegratedCons.txt": "<Cons>Slow.</Cons>\n<Cons>hangs a lot</Cons>\n",
    }),
  );
  const learned = [...mix.training, ...mix.validation].map(({ text }) => text);
  expect(learned).toEqual(["sturdy"]);
  expect(mix.tests.map(({ texts }) => texts.length)).toEqual([1, 0, 1, 0]);
});

test("lines that SST-2 shares are dropped by their number", async () => {
  const texts = await readSentencePolarity(
    createMemoryFolder({
      "sentence_polarity/sst2_overlap_lines.tsv":
        "file\tline\tsst2_split\nrt-polarity.neg.txt\t2\tdev\n",
      "sentence_polarity/rt-polarity.neg.txt": "one\ntwo\nthree",
      "sentence_polarity/rt-polarity.pos.txt": "four\nfive",
    }),
  );
  expect(texts.map(({ text }) => text)).toEqual(["one", "three", "four", "five"]);
});

test("product sentences have the sign on which their annotations agree", async () => {
  const lines = [
    "* comment",
    "zoom[+2], size[+1]##a",
    "zoom[-1]##b",
    "zoom[+1], size[-1]##c",
    "##d",
    "zoom##e",
    "[t]title",
  ];
  const texts = await readProductReviews(
    createMemoryFolder({ "product_reviews/set1_Camera.txt": lines.join("\n") }),
  );
  expect(texts.map(({ text, sentiment }) => `${text} ${sentiment}`)).toEqual([
    "a positive",
    "b negative",
    "d neutral",
  ]);
});

test("within a source both sentiments weigh the same; neutral texts pull both ways alike", () => {
  const examples = toTrainingExamples([
    createText("a", "positive"),
    createText("b", "positive"),
    createText("c", "positive"),
    createText("d", "negative"),
    createText("e", "neutral"),
  ]);
  const sum = (label: number) =>
    examples.filter((e) => e.label === label).reduce((total, e) => total + e.weight, 0);
  expect(sum(0)).toBeCloseTo(sum(1));
  expect(examples.filter(({ text }) => text === "e").map(({ label }) => label)).toEqual([0, 1]);
});
