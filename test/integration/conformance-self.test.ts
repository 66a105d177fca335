import { afterAll, beforeAll, expect, test } from "vitest";
import { PROTOCOLS } from "../../src/conformance/judge-server.ts";
import { createSend } from "../../src/conformance/raw-http.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "rateLimit.requests": "0",
    "inference.workers": "1",
    "tensorflowServing.strict": "true",
    "tensorflowServing.listen": "on",
    "tensorflowServing.port": "0",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

test.each([
  ["open-inference", "reviews"],
  ["open-inference", "numbers"],
  ["tensorflow-serving", "reviews"],
  ["tensorflow-serving", "numbers"],
  ["tei", undefined],
])(
  "this server passes every case of %s, by its model %s",
  async (protocol, model) => {
    const url = protocol === "tensorflow-serving" ? (server.secondUrl ?? "") : server.url;
    const send = createSend({ url: new URL(url), timeoutMs: 10_000, maxAnswerBytes: 10_000_000 });
    const judged = await PROTOCOLS[protocol]?.({ send, ...(model === undefined ? {} : { model }) });
    const cases = judged?.cases ?? [];
    expect(cases.filter(({ verdict }) => verdict.outcome === "fail")).toEqual([]);
    expect(cases.filter(({ verdict }) => verdict.outcome === "pass").length).toBeGreaterThan(20);
  },
  60_000,
);
