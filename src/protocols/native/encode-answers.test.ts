import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { InferenceResult, ItemResult, Prediction } from "../../core/inference/result.ts";
import { encodeBatch, encodeSingle } from "./encode-classify.ts";
import { encodePredictions } from "./encode-predictions.ts";

const CONTEXT = { requestId: "id-1", timestamp: "2026-01-02T03:04:05.678Z" };
const ENDING = {
  model: "reviews",
  model_version: "2.0.0",
  request_id: "id-1",
  timestamp: "2026-01-02T03:04:05.678Z",
};

const ALL = { labels: [], scores: new Float32Array(), logits: new Float32Array() };
const LABELS: Prediction = {
  kind: "labels",
  labels: [
    { label: 'it\'s "fine"\n', score: 0.75 },
    { label: "坏", score: 0.25 },
  ],
  abstained: false,
  all: ALL,
};
const ABSTAINED: Prediction = { kind: "labels", labels: [], abstained: true, all: ALL };
const VECTOR: Prediction = { kind: "vector", values: Float32Array.of(0.5, -1e-30, 0.1) };
const FAILED: ItemResult = {
  ok: false,
  error: new SluiceError("invalid_argument", "No.", {
    details: [{ field: "text", problem: "is empty" }],
  }),
};

function answered(
  prediction: Prediction,
  changes: Partial<ItemResult & { ok: true }> = {},
): ItemResult {
  return {
    ok: true,
    version: "2.0.0",
    prediction,
    source: "model",
    windows: 1,
    truncated: false,
    durationMs: 1.5,
    ...changes,
  };
}

function resultOf(...items: readonly ItemResult[]): InferenceResult {
  const timings = { cacheMs: 0, tokenizeMs: 0, queueMs: 0, inferMs: 0 };
  return { model: "reviews", version: "2.0.0", items, timings };
}

const single = (item: ItemResult) => JSON.parse(encodeSingle(resultOf(item), CONTEXT));
const batch = (...items: readonly ItemResult[]) =>
  JSON.parse(encodeBatch(resultOf(...items), CONTEXT));
const predictions = (...items: readonly ItemResult[]) =>
  JSON.parse(encodePredictions(resultOf(...items), CONTEXT));

const WIRE_LABELS = [
  { label: 'it\'s "fine"\n', confidence: 0.75, processing_time_ms: 1.5 },
  { label: "坏", confidence: 0.25, processing_time_ms: 1.5 },
];
const WIRE_ERROR = {
  error: {
    code: "invalid_argument",
    message: "No.",
    details: [{ field: "text", problem: "is empty" }],
  },
};

describe("answers of /classify", () => {
  test("one text: labels, and nothing about what is usual", () => {
    expect(single(answered(LABELS))).toEqual({ predictions: WIRE_LABELS, ...ENDING });
  });

  test("one text that was read in pieces, cut off, or that the model abstained from says so", () => {
    const long = answered(ABSTAINED, { windows: 3, truncated: true });
    expect(single(long)).toEqual({
      predictions: [],
      windows: 3,
      truncated: true,
      abstained: true,
      ...ENDING,
    });
  });

  test("one text carries the version that answered it", () => {
    expect(single(answered(LABELS, { version: "1.0.0" })).model_version).toBe("1.0.0");
  });

  test("several texts: each has its own answer or error, and its version where that is another", () => {
    const other = answered(LABELS, { version: "1.0.0" });
    expect(batch(answered(LABELS), FAILED, other, answered(ABSTAINED))).toEqual({
      results: [
        { predictions: WIRE_LABELS },
        WIRE_ERROR,
        { predictions: WIRE_LABELS, model_version: "1.0.0" },
        { predictions: [], abstained: true },
      ],
      ...ENDING,
    });
  });

  test("a vector is no label, and the error says where to ask for it", () => {
    for (const encode of [single, batch]) {
      expect(() => encode(answered(VECTOR))).toThrow(
        expect.objectContaining({
          code: "invalid_argument",
          message: expect.stringContaining("/v1/predictions"),
        }),
      );
    }
  });
});

describe("answers of /v1/predictions", () => {
  test("labels, vectors and errors stand side by side, in order", () => {
    const items = [answered(LABELS), FAILED, answered(VECTOR, { source: "cache" })];
    expect(predictions(...items)).toEqual({
      outputs: [
        {
          labels: [
            { label: 'it\'s "fine"\n', score: 0.75 },
            { label: "坏", score: 0.25 },
          ],
          model_version: "2.0.0",
          source: "model",
          processing_time_ms: 1.5,
        },
        WIRE_ERROR,
        {
          vector: [0.5, Math.fround(-1e-30), Math.fround(0.1)],
          model_version: "2.0.0",
          source: "cache",
          processing_time_ms: 1.5,
        },
      ],
      ...ENDING,
    });
  });

  test("every item says which version answered, and how it was read when that was unusual", () => {
    const [output] = predictions(
      answered(ABSTAINED, { version: "1.0.0", windows: 2, truncated: true, source: "coalesced" }),
    ).outputs;
    expect(output).toEqual({
      labels: [],
      model_version: "1.0.0",
      source: "coalesced",
      windows: 2,
      truncated: true,
      abstained: true,
      processing_time_ms: 1.5,
    });
  });

  test("values that JSON has no number for are null", () => {
    const values = Float32Array.of(1, Infinity, -Infinity, Number.NaN);
    const [{ vector }] = predictions(answered({ kind: "vector", values })).outputs;
    expect(vector).toEqual([1, null, null, null]);
  });

  test("a vector comes through bit for bit", () => {
    const values = Float32Array.from(
      { length: 500 },
      (_, i) => Math.sin(i) * 10 ** ((i % 60) - 30),
    );
    const [{ vector }] = predictions(answered({ kind: "vector", values })).outputs;
    expect(Float32Array.from(vector)).toEqual(values);
  });
});
