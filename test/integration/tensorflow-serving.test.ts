import { request as sendRaw } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import {
  computeExpected,
  writeEchoModel,
  writeImageModel,
  writeTensorModel,
} from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.write({ model: "reviews", version: "2.1.0" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("echo/2.1.0", { "model.onnx": writeEchoModel() });
  await models.writeFiles("image/1.0.0", { "image.onnx": writeImageModel() });
  await models.writeFiles("no-graph/1.0.0", { "model.onnx": "This is no graph." });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "models.defaultVersions": '{"reviews":"1.0.0"}',
    "rateLimit.requests": "0",
    "overload.maxEventLoopLagMs": "0",
    "inference.workers": "1",
    "tensorflowServing.listen": "on",
    "tensorflowServing.port": "0",
    "tensorflowServing.kserveModels": '["numbers"]',
    "tensorflowServing.versionLabels": '[{"model":"reviews","label":"stable","version":"1.0.0"}]',
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

interface Sent {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

/** As curl and Python's requests send it: without a content type, the path as it is. */
function send(method: string, path: string, body?: unknown, url = server.url): Promise<Sent> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = sendRaw({ hostname, port, method, path }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          type: answer.headers["content-type"],
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  });
}

const ask = (target: string, body: unknown) => send("POST", `/v1/models/${target}`, body);
async function answer(target: string, body: unknown): Promise<Record<string, unknown>> {
  const sent = await ask(target, body);
  expect(sent.status, sent.text).toBe(200);
  expect(sent.type).toBe("application/json");
  return JSON.parse(sent.text);
}

const TEXT = "A good film with a bad ending.";

describe("texts", () => {
  test("have the scores by predict, in rows and columns, and by classify that they have by /classify", async () => {
    const native = await server.classify({ text: TEXT, top_k: 0, model_version: "1.0.0" });
    const { predictions: own } = (await native.json()) as {
      predictions: { label: string; confidence: number }[];
    };
    const scoreOf = (label: string) => own.find((one) => one.label === label)?.confidence ?? -1;
    const { predictions } = await answer("reviews:predict", {
      instances: [TEXT, { b64: "Z29vZA==" }],
    });
    const [first] = predictions as { scores: number[]; labels: string[] }[];
    for (const [index, label] of (first?.labels ?? []).entries()) {
      expect(first?.scores[index]).toBeCloseTo(scoreOf(label), 5);
    }
    expect(first?.labels).toHaveLength(2);
    const named = await answer("reviews:predict", {
      instances: [{ text: TEXT }, { text: "good" }],
    });
    expect(named["predictions"]).toEqual(predictions);
    const { outputs } = await answer("reviews:predict", { inputs: { text: [TEXT] } });
    expect((outputs as { scores: unknown[] }).scores[0]).toEqual(first?.scores);
    const bare = await answer("reviews:predict", { inputs: TEXT });
    expect(bare["outputs"]).toEqual(outputs);
    const { results } = await answer("reviews:classify", {
      examples: [{ text: TEXT }, { text: "good" }],
    });
    const [classes] = results as [string, number][][];
    expect(classes).toEqual(first?.labels.map((label, i) => [label, first.scores[i]]));
  });

  test("are asked of the version that is named, by number or by label", async () => {
    for (const target of [
      "reviews/versions/1",
      "reviews/versions/2001000",
      "reviews/labels/stable",
      "reviews/labels/2.1.0",
      "reviews/versions/2.1.0",
      "REVIEWS".toLowerCase(),
    ]) {
      await answer(`${target}:predict`, { instances: [TEXT] });
    }
    await answer("reviews/VERSIONS/1:PREDICT", { instances: [TEXT] });
  });
});

describe("tensors", () => {
  const x = [1, 2, 3, 4];
  const expected = computeExpected(x, 2n);

  test("of several inputs and outputs go in and out by name, in rows and columns", async () => {
    const { predictions } = await answer("numbers:predict", {
      instances: [
        { x, k: 2 },
        { x, k: 0 },
      ],
    });
    expect(predictions).toHaveLength(2);
    expect((predictions as object[])[0]).toEqual({ y: expected.y, next: 4, entry: 30 });
    const rows = await answer("numbers:predict", { inputs: [{ x, k: 2 }] });
    expect(rows["predictions"]).toEqual([{ y: expected.y, next: 4, entry: 30 }]);
  });

  test("of every kind come back as they went in, floats always with a point, bytes as b64", async () => {
    const long = "9007199254740993";
    const body = `{"inputs":{"text":["a",{"b64":"/w=="}],"flag":[true,false],"half":[0.5,-2],"whole":[${long},-1],"real":[1,0.1]}}`;
    const sent = await ask("echo:predict", body);
    // What is no UTF-8 cannot go into an ONNX model of strings.
    expect(sent.status).toBe(400);
    const { text } = await ask("echo:predict", body.replace('{"b64":"/w=="}', '{"b64":"w6k="}'));
    expect(text).toBe(
      `{"outputs":{"text_out":["a","é"],"flag_out":[true,false],"half_out":[0.5,-2.0],"whole_out":[${long},-1],"real_out":[1.0,0.1]}}`,
    );
  });

  test("hold numbers for which JSON has no words, as bare words in both directions", async () => {
    const kinds = '"text":["a","b"],"flag":[true,true],"half":[1,1],"whole":[1,1]';
    const { text } = await ask(
      "echo:predict",
      `{"inputs":{${kinds},"real":[NaN,-Infinity]}} and what follows`,
    );
    expect(text).toContain('"real_out":[NaN,-Infinity]');
  });
});

describe("what is known of models", () => {
  test("status has every version, or the one that is named, and what KServe and OpenAI look for", async () => {
    const { text } = await send("GET", "/v1/models/reviews");
    const available = (version: string) => ({
      version,
      state: "AVAILABLE",
      status: { error_code: "OK", error_message: "" },
    });
    expect(JSON.parse(text)).toEqual({
      id: "reviews",
      object: "model",
      created: 0,
      owned_by: "sluice",
      name: "reviews",
      ready: true,
      model_version_status: [available("2001000"), available("1")],
    });
    const one = JSON.parse((await send("GET", "/v1/models/reviews/labels/stable")).text);
    expect(one.model_version_status).toEqual([available("1")]);
    const failed = JSON.parse((await send("GET", "/v1/models/no-graph")).text);
    expect(failed).toMatchObject({ ready: false, model_version_status: [{ state: "END" }] });
  });

  test("metadata is the signature in TensorFlow's words", async () => {
    const { status, text } = await send("GET", "/v1/models/numbers/versions/1/metadata");
    expect(status).toBe(200);
    const { model_spec, metadata } = JSON.parse(text);
    expect(model_spec).toEqual({ name: "numbers", signature_name: "", version: "1" });
    const { serving_default: signature } = metadata.signature_def.signature_def;
    expect(signature.method_name).toBe("tensorflow/serving/predict");
    expect(signature.inputs.x).toEqual({
      dtype: "DT_FLOAT",
      tensor_shape: {
        dim: [
          { size: "-1", name: "" },
          { size: "4", name: "" },
        ],
        unknown_rank: false,
      },
      name: "x:0",
    });
  });

  test("the list of models is there for KServe and OpenAI", async () => {
    const list = JSON.parse((await send("GET", "/v1/models")).text);
    expect(list).toMatchObject({ object: "list", models: ["echo", "image", "numbers", "reviews"] });
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual(list.models);
  });
});

const LONG = "9".repeat(40);
describe("every failure has its status, its words and its content type", () => {
  test.each([
    [
      "an unknown model",
      "POST",
      "/v1/models/nothing:predict",
      { instances: [1] },
      404,
      "Servable not found for request: Latest(nothing)",
    ],
    [
      "an unknown version",
      "POST",
      "/v1/models/reviews/versions/7:predict",
      { instances: ["a"] },
      404,
      "Servable not found for request: Specific(reviews, 7)",
    ],
    [
      "an unknown label",
      "POST",
      "/v1/models/reviews/labels/x:predict",
      { instances: ["a"] },
      400,
      "Unrecognized servable version label: x",
    ],
    [
      "status of an unknown model",
      "GET",
      "/v1/models/nothing",
      undefined,
      404,
      "Could not find any versions of model nothing",
    ],
    [
      "status of an unknown version",
      "GET",
      "/v1/models/reviews/versions/7",
      undefined,
      404,
      "Could not find version 7 of model reviews",
    ],
    [
      "a version out of range",
      "GET",
      `/v1/models/reviews/versions/${LONG}`,
      undefined,
      400,
      "Failed to convert version: ",
    ],
    [
      "a version that is no number",
      "GET",
      "/v1/models/reviews/versions/abc/metadata",
      undefined,
      400,
      "Malformed request: GET /v1/models/reviews/versions/abc/metadata",
    ],
    [
      "both version and label",
      "GET",
      "/v1/models/reviews/versions/1/labels/x",
      undefined,
      400,
      "Malformed request: GET /v1/models/reviews/versions/1/labels/x",
    ],
    [
      "a wrong verb",
      "GET",
      "/v1/models/reviews:predict",
      undefined,
      400,
      "Malformed request: GET /v1/models/reviews:predict",
    ],
    [
      "an unknown verb",
      "POST",
      "/v1/models/reviews:explain",
      {},
      400,
      "Malformed request: POST /v1/models/reviews:explain",
    ],
    [
      "another method",
      "PUT",
      "/v1/models/reviews:predict",
      {},
      400,
      "Malformed request: PUT /v1/models/reviews:predict",
    ],
    ["a name that cannot be decoded", "GET", "/v1/models/%zz", undefined, 400, ""],
    [
      "an empty body",
      "POST",
      "/v1/models/reviews:predict",
      "",
      400,
      "JSON Parse error: The document is empty",
    ],
    ["no JSON", "POST", "/v1/models/reviews:predict", "{", 400, "JSON Parse error: "],
    [
      "a list for a body",
      "POST",
      "/v1/models/reviews:predict",
      [],
      400,
      "the body must be a JSON object",
    ],
    [
      "deep JSON",
      "POST",
      "/v1/models/reviews:predict",
      `{"instances":${"[".repeat(100)}`,
      400,
      "JSON Parse error: ",
    ],
    [
      "neither key",
      "POST",
      "/v1/models/reviews:predict",
      {},
      400,
      "Missing 'inputs' or 'instances' key",
    ],
    [
      "both keys",
      "POST",
      "/v1/models/reviews:predict",
      { inputs: 1, instances: [1] },
      400,
      "mutually exclusive",
    ],
    ["no instances", "POST", "/v1/models/reviews:predict", { instances: [] }, 400, "instances"],
    [
      "a signature that is no name",
      "POST",
      "/v1/models/reviews:predict",
      { signature_name: 1, instances: ["a"] },
      400,
      "'signature_name' key must be a string value.",
    ],
    [
      "an unknown signature",
      "POST",
      "/v1/models/reviews:predict",
      { signature_name: "x", instances: ["a"] },
      400,
      'Serving signature name: "x" not found in signature def',
    ],
    [
      "a number for a text",
      "POST",
      "/v1/models/reviews:predict",
      { instances: [5] },
      400,
      "JSON Value: 5 Type: Number is not of expected type: string",
    ],
    [
      "an empty text",
      "POST",
      "/v1/models/reviews:predict",
      { instances: ["a", " "] },
      400,
      "Text 1 of 2",
    ],
    [
      "mixed rows",
      "POST",
      "/v1/models/reviews:predict",
      { instances: ["a", { text: "b" }] },
      400,
      "of one kind",
    ],
    [
      "a wrong name",
      "POST",
      "/v1/models/reviews:predict",
      { instances: [{ txt: "b" }] },
      400,
      "Missing input: text",
    ],
    [
      "plain rows for several inputs",
      "POST",
      "/v1/models/numbers:predict",
      { instances: [1] },
      400,
      "expecting list of objects",
    ],
    [
      "a plain column for several inputs",
      "POST",
      "/v1/models/echo:predict",
      { inputs: [1] },
      400,
      "expecting an object",
    ],
    [
      "a missing input",
      "POST",
      "/v1/models/echo:predict",
      { inputs: { text: ["a"] } },
      400,
      "Missing named input: ",
    ],
    [
      "a fraction for a whole number",
      "POST",
      "/v1/models/numbers:predict",
      '{"instances":[{"x":[1,2,3,4],"k":1.0}]}',
      400,
      "is not of expected type: int64",
    ],
    [
      "uneven lists",
      "POST",
      "/v1/models/numbers:predict",
      {
        instances: [
          { x: [1, 2, 3, 4], k: 1 },
          { x: [1], k: 1 },
        ],
      },
      400,
      "size and shape",
    ],
    [
      "a wrong shape",
      "POST",
      "/v1/models/numbers:predict",
      { instances: [{ x: [1], k: 1 }] },
      400,
      "inputs.x",
    ],
    [
      "no examples",
      "POST",
      "/v1/models/reviews:classify",
      { examples: [] },
      400,
      "'examples' is expected",
    ],
    [
      "an example that is none",
      "POST",
      "/v1/models/reviews:classify",
      { examples: ["a"] },
      400,
      "examples[0]",
    ],
    [
      "classes of a model that has none",
      "POST",
      "/v1/models/image:classify",
      { examples: [{ image: 1 }] },
      400,
      "",
    ],
    [
      "a number of a model that has none",
      "POST",
      "/v1/models/reviews:regress",
      { examples: [{ text: "a" }] },
      400,
      "does not regress",
    ],
    ["a model that failed", "POST", "/v1/models/no-graph:predict", { instances: [1] }, 503, ""],
  ] as const)("%s", async (_, method, path, body, status, words) => {
    const sent = await send(method, path, body);
    expect({ status: sent.status, type: sent.type }, sent.text).toEqual({
      status,
      type: "application/json",
    });
    const { error, ...rest } = JSON.parse(sent.text) as { error: string };
    expect(error).toContain(words);
    expect(rest).toEqual({});
  });
});

test("at its own port, whatever lies below /v1 and is no address is a malformed request", async () => {
  const url = server.secondUrl ?? "";
  const unknown = await send("GET", "/v1/nothing/here", undefined, url);
  expect(unknown).toMatchObject({ status: 400, type: "application/json" });
  expect(unknown.text).toBe('{"error":"Malformed request: GET /v1/nothing/here"}');
  expect((await send("GET", "/v1/nothing/here")).status).toBe(404);
  const same = await send("POST", "/v1/models/reviews:predict", { instances: [TEXT] }, url);
  expect(same.status).toBe(200);
  expect((await send("GET", "/v2/health/ready", undefined, url)).status).toBe(200);
  expect((await send("GET", "/monitoring/prometheus/metrics", undefined, url)).text).toContain(
    "ai_model_loaded",
  );
});

test("to the letter, the list of models is refused and status has nothing but status; a strict reader gets null", async () => {
  const strict = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "inference.workers": "1",
    "tensorflowServing.strict": "true",
    "tensorflowServing.strictJson": "true",
  });
  const list = await send("GET", "/v1/models", undefined, strict.url);
  expect(list).toMatchObject({ status: 400, text: '{"error":"Missing model name in request."}' });
  const status = JSON.parse((await send("GET", "/v1/models/reviews", undefined, strict.url)).text);
  expect(Object.keys(status)).toEqual(["model_version_status"]);
  const body = '{"inputs":{"text":["a"],"flag":[true],"half":[1],"whole":[1],"real":[NaN]}}';
  const { text } = await send("POST", "/v1/models/echo:predict", body, strict.url);
  expect(text).toContain('"real_out":[null]');
  await strict.drain();
}, 30_000);

test("the document of addresses lists those of the protocol beside all others", async () => {
  const { paths } = JSON.parse((await send("GET", "/openapi.json")).text);
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      "/classify",
      "/v1/models/{model}",
      "/v1/models/{model}:predict",
      "/v1/models/{model}/versions/{version}:classify",
      "/v1/models/{model}/labels/{label}/metadata",
    ]),
  );
});
