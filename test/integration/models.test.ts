import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder, writeRandomClassifier } from "../support/model-folder.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
beforeEach(async () => {
  models = await createModelFolder();
});
afterEach(() => models.remove());

interface Listed {
  readonly version: string;
  readonly state: string;
  readonly reason?: string;
  readonly is_default: boolean;
}

const listModels = async (url: string) =>
  ((await (await fetch(`${url}/models`)).json()) as { models: Listed[] }).models;

test("bad packages fail with their reason and leave the others serving", async () => {
  await models.write();
  await models.write({ version: "1.1.0", bytes: new Uint8Array(0) });
  await models.write({ version: "1.2.0", changes: { labels: ["only one"] } });
  await models.write({ version: "1.3.0", changes: { labels: ["a", "b", "c"] } });
  await models.write({ version: "1.4.0", changes: { tokenizer: { kind: "sentencepiece" } } });
  await models.write({ version: "1.5.0" });
  await writeFile(
    join(models.path, "text-classification/1.5.0/model.onnx"),
    writeRandomClassifier(9),
  );
  const server = await startTestServer({ "models.directory": models.path });
  const listed = await listModels(server.url);
  expect(listed.map((one) => `${one.version} ${one.state}`)).toEqual([
    "1.0.0 ready",
    "1.1.0 failed",
    "1.2.0 failed",
    "1.3.0 failed",
    "1.4.0 failed",
    "1.5.0 failed",
  ]);
  for (const one of listed.slice(1)) expect(one.reason?.length).toBeGreaterThan(20);
  expect(listed[2]?.reason).toContain("labels");
  expect(listed[4]?.reason).toContain("sentencepiece");
  expect(listed[5]?.reason).toContain("SHA-256");
  expect((await server.classify({ text: "good" })).status).toBe(200);
  const failed = await server.classify({ text: "good", model_version: "1.5.0" });
  expect(failed.status).toBe(503);
  await server.drain();
});

test("a server without any usable model is alive, not ready, and says so", async () => {
  await models.write({ bytes: new Uint8Array(3) });
  const server = await startTestServer({ "models.directory": models.path });
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  const health = await fetch(`${server.url}/health`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ status: "unhealthy", model_service: "unavailable" });
  expect((await server.classify({ text: "good" })).status).toBe(503);
  await server.drain();
});

test("start fails on a bad package when told to, and when the directory is missing", async () => {
  await models.write({ bytes: new Uint8Array(3) });
  const strict = { "models.directory": models.path, "models.failOnInvalid": "true" };
  await expect(startTestServer(strict)).rejects.toThrow(/cannot be served/);
  const missing = { "models.directory": join(models.path, "nowhere") };
  await expect(startTestServer(missing)).rejects.toThrow(/Cannot read the model directory/);
});

test("a pinned version is the default", async () => {
  await models.write();
  await models.write({ version: "2.0.0" });
  const server = await startTestServer({
    "models.directory": models.path,
    "models.defaultVersions": JSON.stringify({ "text-classification": "1.0.0" }),
  });
  const listed = await listModels(server.url);
  expect(listed.map((one) => one.is_default)).toEqual([true, false]);
  await server.drain();
});

test("the same scores come from the kernel and from ONNX Runtime, inline and in workers", async () => {
  await models.write();
  const texts = ["good", "bad and ugly", "今天天气很好", "x".repeat(3000), "a b c d e f g"];
  const answers: unknown[] = [];
  for (const runtime of ["typescript", "onnxruntime"]) {
    for (const execution of ["inline", "workers"]) {
      const server = await startTestServer({
        "models.directory": models.path,
        "inference.runtime": runtime,
        "inference.execution": execution,
      });
      const { results } = (await (await server.classify({ texts, top_k: 0 })).json()) as {
        results: { predictions: { label: string; confidence: number }[] }[];
      };
      answers.push(
        results.map(({ predictions }) =>
          predictions.map(({ label, confidence }) => [label, confidence.toFixed(4)]),
        ),
      );
      await server.drain();
    }
  }
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect(answers[3]).toEqual(answers[0]);
});
