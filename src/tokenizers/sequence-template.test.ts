import { describe, expect, test } from "vitest";
import { assertKnownIds, readSequenceTemplate } from "./sequence-template.ts";

const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
const token = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
const special_tokens = { "[CLS]": { ids: [2] }, "[SEP]": { ids: [3] } };
const single = [token("[CLS]", 0), text("A", 0), token("[SEP]", 0)];
const pair = [...single, text("B", 1), token("[SEP]", 1)];
const template = { type: "TemplateProcessing", single, pair, special_tokens };

const BERT = {
  single: { before: [2], after: [3] },
  pair: { before: [2], between: [3], after: [3], firstOfBetween: 1 },
};

test("a template and BERT's own processor say the same", () => {
  expect(readSequenceTemplate(template)).toEqual(BERT);
  const own = { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] };
  expect(readSequenceTemplate(own)).toEqual(BERT);
});

test("RoBERTa's processor puts two separators between texts and no types", () => {
  const own = { type: "RobertaProcessing", cls: ["<s>", 0], sep: ["</s>", 2] };
  expect(readSequenceTemplate(own)).toEqual({
    single: { before: [0], after: [2] },
    pair: { before: [0], between: [2, 2], after: [2], firstOfBetween: undefined },
  });
});

test("nothing, and ByteLevel, add nothing", () => {
  for (const processor of [null, undefined, { type: "ByteLevel" }]) {
    expect(readSequenceTemplate(processor).single).toEqual({ before: [], after: [] });
  }
});

test("of a sequence the one processor counts that adds something", () => {
  const processors = [{ type: "ByteLevel" }, template];
  expect(readSequenceTemplate({ type: "Sequence", processors })).toEqual(BERT);
});

describe("what cannot be expressed is refused by name", () => {
  test.each([
    ["post_processor must be an object", "text"],
    ["post_processor.type must be", { type: "Other" }],
    ["post_processor.cls must be", { type: "BertProcessing", cls: ["[CLS]", -1] }],
    ["processors must be an array", { type: "Sequence" }],
    ["more than one", { type: "Sequence", processors: [template, template] }],
    ["single must be an array", { ...template, single: null }],
    ["post_processor.single[0] must be", { ...template, special_tokens: {} }],
    ["post_processor.single[0] must be", { ...template, single: ["[CLS]:0"] }],
    ["single must have the text once", { ...template, single: [text("A", 0), text("A", 0)] }],
    ["token types of 0", { ...template, single: [text("A", 0), token("[SEP]", 2)] }],
    ["both texts once, in order", { ...template, pair: [text("B", 0), text("A", 1)] }],
    ["0 for the first text", { ...template, pair: [text("A", 1), text("B", 1)] }],
    [
      "0 for the first text",
      { ...template, pair: [text("A", 0), text("B", 1), token("[SEP]", 0)] },
    ],
  ])("%s", (problem, processor) => {
    expect(() => readSequenceTemplate(processor)).toThrow(problem);
  });
});

test("an id that no token has is refused", () => {
  expect(() => assertKnownIds(BERT, (id) => id === 2)).toThrow("the id 3, which no token has");
  expect(() => assertKnownIds(BERT, () => true)).not.toThrow();
});
