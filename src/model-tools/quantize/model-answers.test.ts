import { expect, test } from "vitest";
import { createIdTexts, createSmallEncoderBytes } from "../../../test/support/small-encoder.ts";
import { compareAnswers } from "./compare-answers.ts";
import { readAnswerForm, runTexts, toSortedBatches } from "./model-answers.ts";
import { openModelSession } from "./model-session.ts";

const session = { padId: 0, threads: 1 };

test("batches hold texts of like length, all of them once, and at most 256 ids", () => {
  const texts = [...createIdTexts(100, 6), new Int32Array(700)];
  const batches = toSortedBatches(texts);
  expect(batches.flat().toSorted((a, b) => a - b)).toEqual(texts.map((_, index) => index));
  const lengths = batches.map((batch) => batch.map((index) => texts[index]?.length ?? 0));
  for (const batch of lengths.slice(0, -1)) {
    expect(Math.max(...batch) * batch.length).toBeLessThanOrEqual(256);
  }
  expect(lengths.at(-1)).toEqual([700]);
  expect(lengths.flat()).toEqual(lengths.flat().toSorted((a, b) => a - b));
});

test("alone means one text per batch", () => {
  expect(toSortedBatches(createIdTexts(9, 1), true)).toHaveLength(9);
});

test("answers come in the order of the texts, however they are run", async () => {
  const opened = await openModelSession(createSmallEncoderBytes(), session);
  const form = await readAnswerForm(opened, false);
  expect(form).toEqual({ output: "logits", kind: "single-label", width: 3 });
  const texts = createIdTexts(30, 8);
  const sorted = await runTexts(opened, form, texts);
  const alone = await runTexts(opened, form, texts, true);
  await opened.close();
  for (const [index, answer] of sorted.entries()) {
    expect([...answer]).toEqual([...(alone[index] ?? [])].map((logit) => expect.closeTo(logit, 4)));
  }
});

test("features are the mean over a text's own ids, without padding", async () => {
  const encoder = createSmallEncoderBytes({ kind: "hidden-states" });
  const opened = await openModelSession(encoder, session);
  const form = await readAnswerForm(opened, false);
  expect(form).toMatchObject({ kind: "features", width: 48 });
  const [short = new Int32Array(), long = new Int32Array()] = [
    Int32Array.of(5, 6, 7),
    Int32Array.from({ length: 20 }, (_, i) => i),
  ];
  const [alone] = await runTexts(opened, form, [short]);
  const [padded] = await runTexts(opened, form, [short, long]);
  await opened.close();
  expect([...(padded ?? [])]).toEqual([...(alone ?? [])].map((x) => expect.closeTo(x, 4)));
});

test("a model with several labels per text is told by its configuration", async () => {
  const opened = await openModelSession(createSmallEncoderBytes(), session);
  expect((await readAnswerForm(opened, true)).kind).toBe("multi-label");
  await opened.close();
});

test("a lone score is compared by itself, not as a share of all labels", async () => {
  const encoder = createSmallEncoderBytes({ kind: "classification", labels: 1 });
  const opened = await openModelSession(encoder, session);
  const { kind, width } = await readAnswerForm(opened, false);
  await opened.close();
  expect(width).toBe(1);
  const { agreement, meanDrift } = compareAnswers(
    [Float32Array.of(-5)],
    [Float32Array.of(5)],
    kind,
  );
  expect(agreement).toBe(0);
  expect(meanDrift).toBeGreaterThan(0.9);
});
