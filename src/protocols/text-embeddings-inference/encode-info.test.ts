import { expect, test } from "vitest";
import { encodeComputeHeaders } from "./compute-headers.ts";
import type { ServerInfo } from "./encode-info.ts";
import { encodeInfo } from "./encode-info.ts";

const INFO: ServerInfo = {
  manifest: {
    name: "reviews",
    version: "1.0.0",
    task: "classification",
    labels: ["NEGATIVE", "POSITIVE"],
    output: { name: undefined, pooling: "mean", normalize: true },
  },
  digest: undefined,
  dataType: "float32",
  maxConcurrentRequests: 512,
  maxInputTokens: 128,
  maxBatchTokens: 4096,
  maxBatchItems: 32,
  maxTextsPerRequest: 64,
  tokenizationWorkers: 1,
  programVersion: "0.1.0",
};

test("a classifier tells its labels by id and the ids by label", () => {
  expect(JSON.parse(encodeInfo(INFO))).toMatchObject({
    model_id: "reviews",
    model_type: {
      classifier: {
        id2label: { 0: "NEGATIVE", 1: "POSITIVE" },
        label2id: { NEGATIVE: 0, POSITIVE: 1 },
      },
    },
    max_input_length: 128,
    max_client_batch_size: 64,
    auto_truncate: true,
  });
});

test.each([
  ["scoring", "reranker"],
  ["embedding", "embedding"],
] as const)("a model of task %s is called %s", (task, kind) => {
  const info = { ...INFO, manifest: { ...INFO.manifest, task } };
  expect(Object.keys(JSON.parse(encodeInfo(info)).model_type)).toEqual([kind]);
});

test("headers count characters and round milliseconds; tokens are left out when nobody counted them", () => {
  const report = {
    computeType: "cpu",
    inputs: [
      { text: "héllo 👍", pair: undefined },
      { text: "a", pair: "bc" },
    ],
    tokens: undefined,
    totalMs: 14.6,
    timings: { cacheMs: 0, tokenizeMs: 0.4, queueMs: 1.6, inferMs: 12 },
  };
  expect(encodeComputeHeaders(report)).toEqual(
    [
      ["x-compute-type", "cpu"],
      ["x-compute-time", "15"],
      ["x-compute-characters", "10"],
      ["x-total-time", "15"],
      ["x-tokenization-time", "0"],
      ["x-queue-time", "2"],
      ["x-inference-time", "12"],
    ].flat(),
  );
  const counted = encodeComputeHeaders({ ...report, tokens: 9 });
  expect(counted[counted.indexOf("x-compute-tokens") + 1]).toBe("9");
});
