import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
});
afterAll(() => models.remove());

const TEXTS = {
  inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: ["A good film."] }],
};

function ask(
  { url }: TestServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

describe("where callers may load and unload models", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      "models.directory": models.path,
      "models.default-model": "reviews",
      "models.control": "explicit",
      "rate-limit.requests": "0",
      "inference.workers": "1",
    });
  });
  afterAll(() => server.drain());

  const stateOf = async (name: string) => {
    const index = (await (await ask(server, "/v2/repository/index", {})).json()) as {
      name: string;
      state: string;
    }[];
    return index.find((entry) => entry.name === name)?.state;
  };

  test("a model that came later is loaded and answers, and unloaded it does not", async () => {
    await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
    expect((await fetch(`${server.url}/v2/models/numbers/ready`)).status).toBe(404);
    expect((await ask(server, "/v2/repository/models/numbers/load", {})).status).toBe(200);
    expect(await stateOf("numbers")).toBe("READY");
    const inputs = [
      { name: "x", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] },
      { name: "k", datatype: "INT64", shape: [1], data: [1] },
    ];
    expect((await ask(server, "/v2/models/numbers/infer", { inputs })).status).toBe(200);
    expect((await ask(server, "/v2/repository/models/numbers/unload", {})).status).toBe(200);
    expect(await stateOf("numbers")).toBe("UNAVAILABLE");
    expect((await ask(server, "/v2/models/numbers/infer", { inputs })).status).toBe(503);
    expect((await fetch(`${server.url}/v2/models/numbers/ready`)).status).toBe(503);
    expect((await ask(server, "/v2/models/reviews/infer", TEXTS)).status).toBe(200);
  });

  test.each(["load", "unload"])("a model that nobody knows cannot be %sed", async (action) => {
    const response = await ask(server, `/v2/repository/models/none/${action}`, {});
    expect(response.status).toBe(404);
    const { error } = (await response.json()) as { error: string };
    expect(error).toContain('There is no model "none"');
  });
});

describe("callers with keys and allowances", () => {
  const KEY = "a-key-of-a-caller-that-is-long-enough";
  let server: TestServer;
  beforeAll(async () => {
    const sha256 = createHash("sha256").update(KEY).digest("hex");
    server = await startTestServer({
      "models.directory": models.path,
      "models.default-model": "reviews",
      "auth.required": "always",
      "auth.keys": JSON.stringify([{ id: "caller", sha256 }]),
      "rate-limit.requests": "2",
    });
  });
  afterAll(() => server.drain());

  test("a key is asked for in the words of the protocol, but not for health", async () => {
    const response = await ask(server, "/v2/models/reviews/infer", TEXTS);
    expect(response.status).toBe(401);
    expect(Object.keys((await response.json()) as object)).toEqual(["error"]);
    expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  });

  test("a spent allowance is 429 with the time to wait", async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    for (const status of [200, 200, 429]) {
      const response = await ask(server, "/v2/models/reviews/infer", TEXTS, headers);
      expect(response.status).toBe(status);
      if (status === 200) continue;
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(Object.keys((await response.json()) as object)).toEqual(["error"]);
    }
  });
});
