import { expect, test } from "vitest";
import { SCRIPTED_MANIFEST } from "../../../test/support/scripted-pipeline.ts";
import type { ModelManifest, TextManifest } from "../../core/models/manifest.ts";
import { decodeModelProperties, encodeModelProperties } from "./model-properties.ts";

const COMMON = { digest: "f".repeat(64), readsPairs: true };
const decode = (properties: Readonly<Record<string, string>>) =>
  decodeModelProperties("m", "1.0.0", properties);

test.each<[string, Partial<TextManifest>]>([
  ["a classifier", { languages: ["en", "zh"], abstainBelow: 0.4 }],
  [
    "one of many labels",
    {
      problemType: "multi_label_classification",
      labels: ["a", "b"],
      thresholds: { a: 0.3 },
      defaultFunction: "sigmoid",
    },
  ],
  [
    "an embedding model",
    { task: "embedding", labels: [], problemType: "regression", defaultFunction: "none" },
  ],
  ["a model that scores pairs", { task: "scoring", labels: ["score"], problemType: "regression" }],
])("a gateway learns of %s all that decides its answers", (_, changes) => {
  const manifest: TextManifest = { ...SCRIPTED_MANIFEST, ...changes };
  const decoded = decode(encodeModelProperties({ manifest, ...COMMON }));
  expect(decoded).toMatchObject(COMMON);
  const { task, labels, languages, problemType, defaultFunction, thresholds, abstainBelow } =
    manifest;
  expect(decoded?.manifest).toMatchObject({
    name: "m",
    version: "1.0.0",
    task,
    labels,
    languages,
    problemType,
    defaultFunction,
    thresholds,
    abstainBelow,
  });
});

test("a model of tensors says how many rows may share a run", () => {
  const manifest: ModelManifest = {
    task: "tensor",
    name: "m",
    version: "1.0.0",
    model: { path: "model.onnx", sha256: "0".repeat(64) },
    description: "d",
    license: "MIT",
    maxJoinedRows: 16,
  };
  const decoded = decode(encodeModelProperties({ manifest, ...COMMON }));
  expect(decoded?.manifest).toMatchObject({ task: "tensor", maxJoinedRows: 16 });
});

test("another server's properties tell nothing, and senseless ones are that server's fault", () => {
  expect(decode({})).toBeUndefined();
  expect(decode({ task: "classification" })).toBeUndefined();
  const own = encodeModelProperties({ manifest: SCRIPTED_MANIFEST, ...COMMON });
  for (const wrong of [
    { task: "magic" },
    { labels: "{" },
    { labels: "[1]" },
    { thresholds: '{"a":"b"}' },
    { default_function: "relu" },
  ]) {
    expect(() => decode({ ...own, ...wrong })).toThrow(
      expect.objectContaining({ code: "unavailable" }),
    );
  }
});
