import { expect, test } from "vitest";
import type { FieldProblem } from "../../../core/errors.ts";
import { parseExportLabels } from "./export-labels.ts";

function parse(config: Record<string, unknown>) {
  const problems: FieldProblem[] = [];
  const labels = parseExportLabels(config, problems);
  return { labels, problems: problems.map(({ field, problem }) => `${field} ${problem}`) };
}

test("labels come in the order of the outputs, whatever the order of the keys", () => {
  const id2label = { "10": "k", ...Object.fromEntries([..."abcdefghij"].entries()) };
  expect(parse({ id2label })).toEqual({ labels: [..."abcdefghijk"], problems: [] });
});

test.each([
  [
    "a gap",
    { "0": "a", "2": "b" },
    "id2label.1 is missing; 2 labels need the keys 0 to 1; found 0, 2",
  ],
  ["a start at 1", { "1": "a", "2": "b" }, "id2label.0 is missing"],
  ["a key that is no number", { "0": "a", one: "b" }, "id2label.1 is missing"],
  ["a repetition", { "0": "a", "1": "b", "2": "a" }, 'id2label.2 repeats "a", the label of 0'],
  [
    "a number",
    { "0": "a", "1": 5 },
    "id2label.1 must be a label, a string that is not empty; found 5",
  ],
  ["an empty label", { "0": "a", "1": "" }, "id2label.1 must be a label"],
  ["a list", ["a", "b"], 'id2label must be an object such as {"0": "negative", "1": "positive"}'],
])("%s among the labels is named", (_name, id2label, expected) => {
  expect(parse({ id2label }).problems).toEqual([
    expect.stringContaining(`config.json ${expected}`),
  ]);
});

test("as many labels as outputs", () => {
  const id2label = { "0": "a", "1": "b" };
  expect(parse({ id2label, num_labels: 2 }).problems).toEqual([]);
  expect(parse({ id2label, num_labels: 3 }).problems).toEqual([
    "config.json num_labels must be the number of entries of id2label, which is 2; found 3",
  ]);
  expect(parse({ num_labels: 1e300 }).problems).toEqual([
    "config.json num_labels must be a whole number of labels; found 1e+300",
  ]);
  expect(parse({ num_labels: 3 }).labels).toEqual(["LABEL_0", "LABEL_1", "LABEL_2"]);
});

test.each([
  ["the same", { a: 0, b: 1 }, []],
  ["numbers as strings", { a: "0", b: "1" }, []],
  ["the default that nobody replaced", { LABEL_0: 0, LABEL_1: 1 }, []],
  ["nothing", null, []],
  [
    "the opposite",
    { a: 1, b: 0 },
    [
      "config.json label2id.a must be 0, as id2label says; found 1",
      "config.json label2id.b must be 1, as id2label says; found 0",
    ],
  ],
  ["too little", { a: 0 }, ["config.json label2id.b must be 1, as id2label says; it is missing"]],
])("label2id says %s", (_name, label2id, expected) => {
  expect(parse({ id2label: { "0": "a", "1": "b" }, label2id }).problems).toEqual(expected);
});

test("labels named like members of every object are labels", () => {
  const id2label = { "0": "constructor", "1": "toString" };
  expect(parse({ id2label, label2id: { constructor: 0, toString: 1 } }).problems).toEqual([]);
  expect(parse({ id2label, label2id: { constructor: 0 } }).problems).toHaveLength(1);
});
