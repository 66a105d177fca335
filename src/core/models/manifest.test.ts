import { describe, expect, test } from "vitest";
import { isModelName, parseManifest } from "./manifest.ts";
import { isPackagePath } from "./package-file.ts";

const NGRAMS = {
  schema: "sluice.model/v1",
  name: "reviews",
  version: "1.0.0",
  task: "classification",
  problemType: "single_label_classification",
  labels: ["bad", "good"],
  languages: ["en"],
  tokenizer: { kind: "hashed-ngrams", buckets: 1024 },
  model: { path: "model.onnx", sha256: "a".repeat(64) },
  inputs: { ids: "ids", padId: 0 },
  outputs: { logits: "logits" },
  description: "A model.",
  license: "Apache-2.0",
};

const { inputs: _inputs, outputs: _outputs, ...REST } = NGRAMS;
const TRANSFORMER = { ...REST, tokenizer: { kind: "tokenizer.json" } };
const MULTI_LABEL = { ...TRANSFORMER, problemType: "multi_label_classification" };
const { problemType: _problemType, labels: _labels, ...UNLABELLED } = TRANSFORMER;
const EMBEDDING = { ...UNLABELLED, task: "embedding" };
const SCORING = { ...UNLABELLED, task: "scoring" };

describe("what a manifest leaves out", () => {
  test("an n-gram classifier is read as it is, without what only training wanted to know", () => {
    const { schema: _schema, outputs, ...fields } = NGRAMS;
    expect(parseManifest({ ...NGRAMS, training: { epochs: 3 } })).toEqual({
      ...fields,
      maxTokens: undefined,
      windows: { max: 1, overlapTokens: 0 },
      output: { name: outputs.logits, pooling: "none", normalize: false },
      defaultFunction: "softmax",
      thresholds: {},
      abstainBelow: undefined,
    });
  });

  test("a transformer finds its names in the graph and cuts long texts into windows", () => {
    expect(parseManifest(TRANSFORMER)).toMatchObject({
      tokenizer: { kind: "tokenizer.json", path: "tokenizer.json" },
      maxTokens: 512,
      windows: { max: 8, overlapTokens: 32 },
      inputs: { ids: undefined, padId: 0 },
      output: { name: undefined, pooling: "none", normalize: false },
    });
  });

  test("windows of a short model share no more than a quarter", () => {
    const manifest = parseManifest({ ...TRANSFORMER, maxTokens: 64 });
    expect(manifest).toMatchObject({ windows: { overlapTokens: 16 } });
  });

  test("an embedding is the mean at length 1, without labels and without windows", () => {
    expect(parseManifest(EMBEDDING)).toMatchObject({
      labels: [],
      windows: { max: 1, overlapTokens: 0 },
      output: { pooling: "mean", normalize: true },
      defaultFunction: "none",
    });
  });

  test("a scorer has one label and a sigmoid", () => {
    expect(parseManifest(SCORING)).toMatchObject({
      problemType: "regression",
      labels: ["score"],
      defaultFunction: "sigmoid",
    });
  });

  test.each([
    ["single_label_classification", ["a", "b"], "softmax"],
    ["multi_label_classification", ["a"], "sigmoid"],
    ["regression", ["stars"], "none"],
  ])("%s implies its activation", (problemType, labels, expected) => {
    const manifest = parseManifest({ ...NGRAMS, problemType, labels });
    expect(manifest).toMatchObject({ defaultFunction: expected });
  });
});

test("what a manifest states is taken", () => {
  const stated = {
    maxTokens: 128,
    windows: { max: 3, overlapTokens: 64 },
    inputs: { ids: "input_ids", padId: 1 },
    output: { name: "logits" },
    defaultFunction: "none",
    thresholds: { good: 0.25, bad: 1 },
  };
  const manifest = parseManifest({ ...MULTI_LABEL, ...stated });
  expect(manifest).toMatchObject(stated);
  expect(parseManifest({ ...TRANSFORMER, abstainBelow: 0.5 })).toMatchObject({ abstainBelow: 0.5 });
});

test.each([
  ["task", { ...NGRAMS, task: "translation" }],
  ["problemType", { ...NGRAMS, problemType: undefined }],
  ["problemType", { ...SCORING, problemType: "single_label_classification" }],
  ["labels", { ...NGRAMS, labels: ["only"] }],
  ["labels", { ...EMBEDDING, labels: ["x"] }],
  ["labels", { ...SCORING, labels: ["a", "b"] }],
  ["languages", { ...NGRAMS, languages: "en" }],
  ["tokenizer.path", { ...TRANSFORMER, tokenizer: { kind: "tokenizer.json", path: "../t.json" } }],
  ["tokenizer.sha256", { ...TRANSFORMER, tokenizer: { kind: "tokenizer.json", sha256: "no" } }],
  ["maxTokens", { ...TRANSFORMER, maxTokens: 4 }],
  ["maxTokens", { ...TRANSFORMER, maxTokens: 1e30 }],
  ["windows.max", { ...TRANSFORMER, windows: { max: 0 } }],
  ["windows.max", { ...NGRAMS, windows: { max: 2 } }],
  ["windows.overlapTokens", { ...TRANSFORMER, windows: { overlapTokens: 257 } }],
  ["inputs.ids", { ...NGRAMS, inputs: { padId: 0 } }],
  ["inputs.ids", { ...TRANSFORMER, inputs: { ids: "" } }],
  ["inputs.padId", { ...NGRAMS, inputs: { ids: "ids" } }],
  ["outputs.logits", { ...NGRAMS, outputs: {} }],
  ["output.name", { ...TRANSFORMER, output: { name: 1 } }],
  ["output.pooling", { ...EMBEDDING, output: { pooling: "max" } }],
  ["output.pooling", { ...TRANSFORMER, output: { pooling: "mean" } }],
  ["output.normalize", { ...EMBEDDING, output: { normalize: 1 } }],
  ["output.normalize", { ...SCORING, output: { normalize: true } }],
  ["defaultFunction", { ...NGRAMS, defaultFunction: "tanh" }],
  ["defaultFunction", { ...EMBEDDING, defaultFunction: "softmax" }],
  ["defaultFunction", { ...SCORING, defaultFunction: "softmax" }],
  ["thresholds", { ...NGRAMS, thresholds: { good: 0.5 } }],
  ["thresholds", { ...MULTI_LABEL, thresholds: [0.5] }],
  ["thresholds.neutral", { ...MULTI_LABEL, thresholds: { neutral: 0.5 } }],
  ["thresholds.good", { ...MULTI_LABEL, thresholds: { good: 1.5 } }],
  ["abstainBelow", { ...NGRAMS, abstainBelow: "half" }],
  ["abstainBelow", { ...MULTI_LABEL, abstainBelow: 0.5 }],
])("a wrong %s is the one thing that is named", (field, manifest) => {
  try {
    parseManifest(manifest);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid_argument", details: [{ field }] });
  }
});

test.each(["all-MiniLM-L6-v2", "bert_base.uncased", "_x", "-", "A", "reviews"])(
  "%s is a name",
  (name) => expect(isModelName(name)).toBe(true),
);

test.each(["", ".", "..", ".hidden", "a/b", "a b", "a\n", 'a"', "naïve", "a\\b", 7])(
  "%j is no name",
  (name) => expect(isModelName(name)).toBe(false),
);

test.each(["model.onnx", "onnx/model_quantized.onnx", "a-b/c_d/e.f.g"])(
  "%s is a path in a package",
  (path) => expect(isPackagePath(path)).toBe(true),
);

test.each([
  "",
  "/etc/passwd",
  "../x",
  "a/../b",
  "a/./b",
  "a//b",
  "a..b",
  ".x",
  "a/",
  "a\\b",
  "c:x",
])("%j is no path in a package", (path) => expect(isPackagePath(path)).toBe(false));

describe("a manifest of task tensor", () => {
  const { languages: _languages, tokenizer: _tokenizer, ...rest } = UNLABELLED;
  const TENSOR = { ...rest, task: "tensor" };

  test("needs neither tokenizer nor labels, and joins nothing unless it says so", () => {
    const { schema: _schema, ...fields } = TENSOR;
    expect(parseManifest(TENSOR)).toEqual({ ...fields, maxJoinedRows: 1 });
    expect(parseManifest({ ...TENSOR, maxJoinedRows: 64 })).toMatchObject({ maxJoinedRows: 64 });
  });

  test.each([
    ["tokenizer", { tokenizer: { kind: "tokenizer.json" } }],
    ["labels", { labels: ["a", "b"] }],
    ["maxJoinedRows", { maxJoinedRows: 0 }],
    ["model.sha256", { model: { path: "model.onnx" } }],
  ])("with a wrong %s is refused", (field, changes) => {
    expect(() => parseManifest({ ...TENSOR, ...changes })).toThrow(
      expect.objectContaining({ details: [{ field, problem: expect.any(String) }] }),
    );
  });
});
