import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeClassify } from "../../src/protocols/native/decode-classify.ts";
import { classifyRequestSchema } from "../../src/protocols/native/schema.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write();
  server = await startTestServer({ "models.directory": models.path, "logging.access": "all" });
});
afterAll(async () => {
  await server.drain();
  await models.remove();
});

const read = async (path: string) => (await fetch(server.url + path)).text();

test("metrics have the established names, labels and buckets, and count what happened", async () => {
  await server.classify({ texts: ["one", "two", "one", " "] });
  await server.classify({ text: "one" });
  const metrics = await read("/metrics");
  const version = 'model_version="text-classification:1.0.0"';
  const total = [...metrics.matchAll(/^ai_model_predictions_total\{(.*)\} (\d+)$/gm)];
  expect(total.reduce((sum, match) => sum + Number(match[2]), 0)).toBe(4);
  for (const match of total) {
    expect(match[1]).toMatch(/^model_version="[^"]+",prediction_label="(positive|negative)"$/);
  }
  for (const bound of ["0.01", "0.05", "0.1", "0.5", "1", "2", "5", "+Inf"]) {
    expect(metrics).toContain(
      `ai_model_prediction_duration_seconds_bucket{${version},le="${bound}"}`,
    );
  }
  expect(metrics).toContain(`ai_model_prediction_duration_seconds_count{${version}} 4`);
  expect(metrics).toContain(`ai_model_loaded{${version}} 1`);
  expect(metrics).toContain(`ai_model_answers_total{${version},source="coalesced"} 1`);
  expect(metrics).toContain(`ai_model_answers_total{${version},source="cache"} 1`);
  expect(metrics).toContain(`ai_model_failures_total{${version},code="invalid_argument"} 1`);
  expect(metrics).toMatch(
    /sluice_http_requests_total\{method="POST",route="\/classify",status="200"\} 2/,
  );
  expect(metrics).toMatch(/^nodejs_eventloop_lag_seconds \S+$/m);
});

test("buckets are cumulative and their last equals the count", async () => {
  const metrics = await read("/metrics");
  for (const name of new Set([...metrics.matchAll(/^(\w+)_bucket\{/gm)].map((match) => match[1]))) {
    const buckets = [...metrics.matchAll(new RegExp(`^${name}_bucket\\{.*\\} (\\d+)$`, "gm"))];
    expect(buckets.length, name).toBeGreaterThan(3);
  }
  const batches = [...metrics.matchAll(/^ai_model_batch_items_bucket\{.*\} (\d+)$/gm)].map(
    (match) => Number(match[1]),
  );
  expect(batches).toEqual(batches.toSorted((a, b) => a - b));
  expect(metrics).toMatch(
    new RegExp(`^ai_model_batch_items_count\\{.*\\} ${batches.at(-1)}$`, "m"),
  );
});

test("the OpenAPI document is 3.1 and describes every address", async () => {
  const document = JSON.parse(await read("/openapi.json")) as {
    openapi: string;
    paths: Record<string, object>;
  };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).sort()).toEqual([
    "/classify",
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/models",
  ]);
  expect(JSON.stringify(document)).toContain('"maxLength":5000');
});

test("the page of the API loads everything from this server", async () => {
  const page = await read("/docs");
  const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(assets.length).toBeGreaterThan(3);
  for (const asset of assets) {
    expect(asset).not.toMatch(/^(https?:)?\/\//);
    const { status } = await fetch(new URL(asset, `${server.url}/docs/`));
    expect(status, asset).toBe(200);
  }
});

test("logs tell route, status and ids, and never a text", async () => {
  await server.classify({ text: "a very private remark" }, { "x-request-id": "order-7" });
  await server.classify({ text: "a very private remark", oops: 1 });
  const answered = server.log.filter((line) => line.message === "answered");
  expect(answered.map((line) => line.fields)).toContainEqual(
    expect.objectContaining({ route: "/classify", status: 200, sentRequestId: "order-7" }),
  );
  expect(JSON.stringify(server.log)).not.toContain("private");
});

test("the published schema and the decoder accept and refuse the same bodies", () => {
  const limits = { maxTextCharacters: 5, maxTextsPerRequest: 3 };
  const validate = new Ajv2020({ strict: false }).compile(classifyRequestSchema(limits));
  const accepts = (body: unknown) => {
    try {
      decodeClassify(body, limits);
      return true;
    } catch {
      return false;
    }
  };
  /** Mostly right, sometimes wrong: bodies with one mistake tell most. */
  const mostly = (right: fc.Arbitrary<unknown>, ...wrong: unknown[]) =>
    fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });
  const text = mostly(
    fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" }),
    "",
    "123456",
    5,
    null,
  );
  const texts = mostly(fc.array(text, { minLength: 1, maxLength: 3 }), [], "a", null, [
    "a",
    "b",
    "c",
    "d",
  ]);
  const options = {
    model: mostly(fc.constantFrom("m", null), "", 7, []),
    model_version: mostly(fc.constantFrom("1.0.0", null), "", {}),
    top_k: mostly(fc.integer({ min: 0, max: 3 }), -1, "1", 1.5, 1e300),
    function_to_apply: mostly(fc.constantFrom("softmax", "sigmoid", "none", null), "relu", 0),
  };
  const body = fc.oneof(
    { weight: 4, arbitrary: fc.record({ text, ...options }, { requiredKeys: ["text"] }) },
    { weight: 4, arbitrary: fc.record({ texts, ...options }, { requiredKeys: ["texts"] }) },
    { weight: 1, arbitrary: fc.record({ text, texts }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.record({ text, extra: fc.constant(1) }) },
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: body }, fc.jsonValue()), (candidate) => {
      const expected = accepts(candidate);
      if (expected) accepted++;
      expect(validate(candidate), JSON.stringify(candidate)).toBe(expected);
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(500);
  expect(accepted).toBeLessThan(2500);
});
