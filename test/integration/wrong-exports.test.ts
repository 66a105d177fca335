import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breakWeights, raiseOpset } from "../support/broken-models.ts";
import type { FilesToWrite, ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";
import { createTinyExport } from "../support/tiny-export.ts";

const GOOD = createTinyExport({
  architecture: "BertForSequenceClassification",
  labels: ["a", "b", "c"],
});
const BYTES = GOOD["model.onnx"] as Uint8Array;
const CONFIG = GOOD["config.json"] as Readonly<Record<string, unknown>>;
const TOKENIZER = GOOD["tokenizer.json"] as Readonly<Record<string, unknown>>;

function createWithFarIds(idOffset: number): FilesToWrite {
  const { architectures } = CONFIG;
  expect(architectures).toEqual(["BertForSequenceClassification"]);
  const labels = ["a", "b", "c"];
  return createTinyExport({ architecture: "BertForSequenceClassification", labels, idOffset });
}

/** What is wrong with a package, its files, and what the reason must say. */
const WRONG: Readonly<Record<string, readonly [FilesToWrite, RegExp]>> = {
  "no-tokenizer": [{ ...GOOD, "tokenizer.json": undefined }, /tokenizer\.json is missing; export/],
  "broken-tokenizer": [{ ...GOOD, "tokenizer.json": '{"model":' }, /tokenizer\.json/],
  "tokenizer-without-model": [
    { ...GOOD, "tokenizer.json": { ...TOKENIZER, model: { type: "WordPiece", vocab: {} } } },
    /tokenizer\.json: model\./,
  ],
  "empty-model": [{ ...GOOD, "model.onnx": new Uint8Array() }, /model\.onnx is empty \(0 bytes\)/],
  "cut-model": [
    { ...GOOD, "model.onnx": BYTES.subarray(0, BYTES.length / 2) },
    /ONNX Runtime refused the model file: .{10}/,
  ],
  "no-model": [{ ...GOOD, "model.onnx": "This is no model." }, /ONNX Runtime refused the model/],
  "wrong-labels": [
    { ...GOOD, "config.json": { ...CONFIG, id2label: { "0": "a", "1": "b" } } },
    /must have an output.*\[batch, 2\]; found "logits" float32 \[batch, 3\]/,
  ],
  "other-architecture": [
    { ...GOOD, "config.json": { ...CONFIG, architectures: ["BertForTokenClassification"] } },
    /found BertForTokenClassification/,
  ],
  "future-operators": [{ ...GOOD, "model.onnx": raiseOpset(BYTES, 99) }, /refused .*99/],
  "broken-weights": [
    { ...GOOD, "model.onnx": breakWeights(BYTES, "classifier.weight") },
    /not a number .* weights are probably broken/,
  ],
  "far-ids": [createWithFarIds(100_000), /tokenizer and model do not belong together/],
  "farthest-ids": [createWithFarIds(2 ** 31), /must have a whole number from 0 to \d+ as its id/],
};

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write();
  await models.writeFiles("good", GOOD);
  for (const [name, [files]] of Object.entries(WRONG)) await models.writeFiles(name, files);
  server = await startTestServer({ "models.directory": models.path, "inference.workers": "1" });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

describe("wrong packages", () => {
  interface Listed {
    readonly model: string;
    readonly state: string;
    readonly reason?: string;
  }
  let listed: readonly Listed[];
  beforeAll(async () => {
    const response = await fetch(`${server.url}/models`);
    listed = ((await response.json()) as { models: Listed[] }).models;
  });

  for (const [name, [, reason]] of Object.entries(WRONG)) {
    test(`${name} fails with its own reason, which GET /models tells without any path`, () => {
      const status = listed.find(({ model }) => model === name);
      expect(status).toMatchObject({ state: "failed", reason: expect.stringMatching(reason) });
      expect(status?.reason).not.toContain(models.path);
    });
  }

  test("they leave the others serving", async () => {
    const ready = listed.filter(({ state }) => state === "ready").map(({ model }) => model);
    expect(ready).toEqual(["good", "text-classification"]);
    for (const model of ready) {
      expect((await server.classify({ text: "good food", model })).status).toBe(200);
    }
    expect((await server.classify({ text: "good food", model: "far-ids" })).status).toBe(503);
  });
});
