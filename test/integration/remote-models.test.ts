import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { computeExpected, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let none: ModelFolder;
let there: TestServer;
let here: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  none = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  there = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "rateLimit.requests": "0",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
  const grpc = `grpc://${there.grpcAddress}`;
  const ways = [
    { way: "v2-rest", protocol: "open-inference", server: there.url },
    { way: "v2-grpc", protocol: "open-inference", server: grpc },
    { way: "tf-rest", protocol: "tensorflow-serving", server: there.url },
    { way: "tf-grpc", protocol: "tensorflow-serving", server: grpc },
  ];
  const remote = ways.flatMap(({ way, protocol, server }) => [
    { name: `numbers-${way}`, protocol, servers: [server], remoteName: "numbers" },
    {
      name: `reviews-${way}`,
      protocol,
      servers: [server],
      remoteName: "reviews",
      task: "classification",
      labels: ["negative", "positive"],
    },
  ]);
  const lost = { name: "lost", protocol: "open-inference", servers: ["http://127.0.0.1:9"] };
  here = await startTestServer({
    "models.directory": none.path,
    "models.remote": JSON.stringify([...remote, lost]),
    "rateLimit.requests": "0",
    "remote.connectTimeoutMs": "500",
  });
}, 60_000);
afterAll(async () => {
  await here.drain();
  await there.drain();
  await models.remove();
  await none.remove();
});

interface Classified {
  readonly predictions: readonly { label: string; confidence: number }[];
}

const WAYS = ["v2-rest", "v2-grpc", "tf-rest", "tf-grpc"] as const;

test.each(WAYS)("a classifier on another server answers by %s as it does there", async (way) => {
  for (const text of ["A good film.", "A bad one, and long."]) {
    const there_ = (await (await there.classify({ text, top_k: 0 })).json()) as Classified;
    const answer = await here.classify({ text, top_k: 0, model: `reviews-${way}` });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const { predictions } = (await answer.json()) as Classified;
    expect(predictions.map(({ label }) => label)).toEqual(
      there_.predictions.map(({ label }) => label),
    );
    for (const [index, { confidence }] of predictions.entries()) {
      expect(confidence).toBeCloseTo(there_.predictions[index]?.confidence ?? -1, 4);
    }
  }
});

test.each(WAYS)("tensors pass through to another server by %s", async (way) => {
  const answer = await fetch(`${here.url}/v1/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: `numbers-${way}`, inputs: { x: [[1, 2, 3, 4]], k: [2] } }),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  const { outputs } = (await answer.json()) as { outputs: { y: { data: number[] } } };
  expect(outputs.y.data).toEqual(computeExpected([1, 2, 3, 4], 2n).y);
});

test.each(WAYS)(
  "many callers at once share batches to another server by %s, each with its own answer",
  async (way) => {
    const texts = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? `good ${i}` : `bad ${i}`));
    const answers = await Promise.all(
      texts.map(async (text) => {
        const answer = await here.classify({ text, model: `reviews-${way}` });
        return ((await answer.json()) as Classified).predictions[0]?.label;
      }),
    );
    const alone = await Promise.all(
      texts.map(async (text) => {
        const answer = await there.classify({ text });
        return ((await answer.json()) as Classified).predictions[0]?.label;
      }),
    );
    expect(answers).toEqual(alone);
  },
);

test("a server that is not there fails its model alone, with the reason", async () => {
  const { models: listed } = (await (await fetch(`${here.url}/models`)).json()) as {
    models: { model: string; state: string; reason?: string }[];
  };
  const lost = listed.find(({ model }) => model === "lost");
  // It is tried again and again, so it may be on its way once more.
  expect(["failed", "verifying", "loading"]).toContain(lost?.state);
  expect((await here.classify({ text: "a", model: "lost" })).status).toBe(503);
  expect(listed.filter(({ state }) => state === "ready")).toHaveLength(8);
});
