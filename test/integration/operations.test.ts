import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeClassify } from "../../src/protocols/native/decode-classify.ts";
import { decodePredictions } from "../../src/protocols/native/decode-predictions.ts";
import { decodeTensorRequest, isTensorBody } from "../../src/protocols/native/decode-tensors.ts";
import {
  classifyRequestSchema,
  predictionsRequestSchema,
} from "../../src/protocols/native/schema.ts";
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
  // What lies below these belongs to protocols that list it in their own tests.
  const own = Object.keys(document.paths).filter(
    (path) => !/^\/v(2|1\/(models|jobs|collections))\b/.test(path),
  );
  expect(own.sort()).toEqual([
    "/",
    "/classify",
    "/embed",
    "/health",
    "/health/live",
    "/health/ready",
    "/info",
    "/invocations",
    "/metrics",
    "/models",
    "/models/{model}",
    "/models/{model}/labels/{label}",
    "/models/{model}/pin",
    "/models/{model}/versions/{version}/load",
    "/models/{model}/versions/{version}/unload",
    "/predict",
    "/rerank",
    "/similarity",
    "/tokenize",
    "/v1/embeddings",
    "/v1/faults",
    "/v1/faults/{name}",
    "/v1/feedback",
    "/v1/gate-sets",
    "/v1/gate-sets/{name}",
    "/v1/gate-sets/{name}/collect",
    "/v1/moderations",
    "/v1/predictions",
    "/v1/releases",
    "/v1/releases/{id}",
    "/v1/releases/{id}/candidate",
    "/v1/releases/{id}/history",
    "/v1/releases/{id}/pause",
    "/v1/releases/{id}/promote",
    "/v1/releases/{id}/resume",
    "/v1/releases/{id}/rollback",
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

const LIMITS = { maxTextCharacters: 5, maxTextsPerRequest: 3 };

/** Mostly right, sometimes wrong: bodies with one mistake tell most. */
function mostly(right: fc.Arbitrary<unknown>, ...wrong: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 10, arbitrary: right },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );
}

const anyText = mostly(
  fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" }),
  "",
  "123456",
  5,
  null,
);
const anyPair = mostly(fc.constantFrom("why", null), "", "123456", 5, ["a"]);
const anyOptions = {
  model: mostly(fc.constantFrom("m", null), "", 7, []),
  model_version: mostly(fc.constantFrom("1.0.0", null), "", {}),
  top_k: mostly(fc.integer({ min: 0, max: 3 }), -1, "1", 1.5, 1e300),
  function_to_apply: mostly(fc.constantFrom("softmax", "sigmoid", "none", null), "relu", 0),
  abstain_below: mostly(fc.constantFrom(0, 0.5, 1, null), -0.1, 1.1, "0.5", false),
  lane: mostly(fc.constantFrom("online", "bulk", null), "fast", "", 1, ["bulk"]),
};

/** Holds a schema against its decoder, over bodies of which a good part is right. */
function expectSameVerdicts(
  schema: object,
  decode: (body: unknown) => unknown,
  anyBody: fc.Arbitrary<unknown>,
): void {
  const validate = new Ajv2020({ strict: false }).compile(schema);
  const accepts = (body: unknown) => {
    try {
      decode(body);
      return true;
    } catch {
      return false;
    }
  };
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: anyBody }, fc.jsonValue()), (candidate) => {
      const expected = accepts(candidate);
      if (expected) accepted++;
      expect(validate(candidate), JSON.stringify(candidate)).toBe(expected);
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(500);
  expect(accepted).toBeLessThan(2500);
}

test("the schema of /classify and its decoder accept and refuse the same bodies", () => {
  const texts = mostly(fc.array(anyText, { minLength: 1, maxLength: 3 }), [], "a", null, [
    "a",
    "b",
    "c",
    "d",
  ]);
  const one = { text: anyText, pair: anyPair, ...anyOptions };
  const many = { texts, ...anyOptions };
  const anyBody = fc.oneof(
    { weight: 4, arbitrary: fc.record(one, { requiredKeys: ["text"] }) },
    { weight: 4, arbitrary: fc.record(many, { requiredKeys: ["texts"] }) },
    {
      weight: 1,
      arbitrary: fc.record({ text: anyText, pair: anyPair, texts }, { requiredKeys: [] }),
    },
    { weight: 1, arbitrary: fc.record({ text: anyText, extra: fc.constant(1) }) },
  );
  expectSameVerdicts(
    classifyRequestSchema(LIMITS),
    (body) => decodeClassify(body, LIMITS),
    anyBody,
  );
});

test("the schema of /v1/predictions and its decoder accept and refuse the same bodies", () => {
  const pair = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ text: anyText, pair: anyPair }, { requiredKeys: ["text"] }),
    },
    { weight: 1, arbitrary: fc.record({ pair: anyPair }) },
    { weight: 1, arbitrary: fc.record({ text: anyText, third: fc.constant("c") }) },
  );
  const inputs = mostly(
    fc.array(fc.oneof(anyText, pair), { minLength: 1, maxLength: 3 }),
    [],
    "a",
    null,
    { text: "a" },
    ["a", "b", "c", "d"],
  );
  const data = fc.constantFrom(1, [1, 2], [[true]], ["a"]);
  const shaped = fc.record({ shape: fc.constant([2]), datatype: fc.constant("FP32"), data });
  const tensors = fc.dictionary(fc.string(), fc.oneof(data, shaped));
  const outputs = mostly(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), null, [], "a", [1]);
  const { model, lane, top_k } = anyOptions;
  const someOptions = { model, lane, top_k };
  const anyBody = fc.oneof(
    { weight: 8, arbitrary: fc.record({ inputs, ...anyOptions }, { requiredKeys: ["inputs"] }) },
    { weight: 1, arbitrary: fc.record({ inputs, text: anyText }) },
    { weight: 1, arbitrary: fc.record(anyOptions) },
    {
      weight: 4,
      arbitrary: fc.record(
        { inputs: tensors, outputs, ...someOptions },
        { requiredKeys: ["inputs"] },
      ),
    },
  );
  expectSameVerdicts(
    predictionsRequestSchema(LIMITS),
    (body) => (isTensorBody(body) ? decodeTensorRequest(body) : decodePredictions(body, LIMITS)),
    anyBody,
  );
});
