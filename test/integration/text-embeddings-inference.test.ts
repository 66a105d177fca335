import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TextModelServer } from "../support/text-model-server.ts";
import { REVIEW_LABELS, startTextModelServer } from "../support/text-model-server.ts";

interface Prediction {
  readonly label: string;
  readonly score: number;
}

interface Problem {
  readonly error: string;
  readonly error_type: string;
}

let server: TextModelServer;
beforeAll(async () => {
  server = await startTextModelServer();
}, 60_000);
afterAll(() => server.close());

async function ask<Body>(path: string, body: unknown): Promise<Body> {
  const response = await server.post(path, body);
  const answer = await response.text();
  expect(`${response.status} ${answer.slice(0, 200)}`).toMatch(/^200 /);
  return JSON.parse(answer) as Body;
}

async function refuse(path: string, body: unknown): Promise<Problem & { status: number }> {
  const response = await server.post(path, body);
  return { status: response.status, ...((await response.json()) as Problem) };
}

describe("POST /predict", () => {
  test("gives all labels of a text, best first, the same as /classify", async () => {
    const labels = await ask<Prediction[]>("/predict", { inputs: "very good movie" });
    expect(labels.map(({ label }) => label).sort()).toEqual(REVIEW_LABELS);
    expect(labels.map(({ score }) => score)).toEqual(
      labels.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    const native = (await (
      await server.classify({ text: "very good movie", top_k: 0 })
    ).json()) as { predictions: { label: string; confidence: number }[] };
    expect(labels).toEqual(
      native.predictions.map(({ label, confidence }) => ({ label, score: confidence })),
    );
  });

  test("reads two strings as a pair, and lists of them as several questions", async () => {
    const single = await ask<Prediction[]>("/predict", { inputs: ["good", "bad day"] });
    const batch = await ask<Prediction[][]>("/predict", {
      inputs: [["good"], ["good", "bad day"]],
    });
    expect(batch[1]).toEqual(single);
    expect(batch[0]).toEqual(await ask("/predict", { inputs: "good" }));
    expect(batch[0]).not.toEqual(batch[1]);
  });

  test("gives raw scores that softmax turns into the others", async () => {
    const raw = await ask<Prediction[]>("/predict", { inputs: "good", raw_scores: true });
    const scores = await ask<Prediction[]>("/predict", { inputs: "good" });
    const sum = raw.reduce((all, { score }) => all + Math.exp(score), 0);
    for (const [index, { label, score }] of raw.entries()) {
      expect(scores[index]?.label).toBe(label);
      expect(scores[index]?.score).toBeCloseTo(Math.exp(score) / sum, 4);
    }
  });

  test("says in headers what it took", async () => {
    const { headers } = await server.post("/predict", { inputs: ["good", "bad"] });
    expect(headers.get("x-compute-characters")).toBe("7");
    expect(headers.get("x-compute-type")).toContain("onnxruntime");
    for (const name of ["compute", "total", "tokenization", "queue", "inference"]) {
      expect(headers.get(`x-${name}-time`)).toMatch(/^\d+$/);
    }
  });

  test("refuses a text that must fit and does not, and reads it in windows otherwise", async () => {
    const long = "good bad ".repeat(200);
    const refused = await refuse("/predict", { inputs: [["good"], [long]], truncate: false });
    expect(refused).toMatchObject({ status: 422, error_type: "Validation" });
    expect(refused.error).toContain("inputs[1] is longer than the model reads at once");
    expect(await ask<Prediction[]>("/predict", { inputs: long })).toHaveLength(3);
    expect(await ask("/predict", { inputs: "good", truncate: false })).toHaveLength(3);
  });

  test.each([
    ["three strings", { inputs: ["a", "b", "c"] }, 422, "Validation"],
    ["nothing", {}, 422, "Validation"],
    ["an empty list", { inputs: [] }, 400, "Empty"],
    ["an empty text", { inputs: "" }, 400, "Empty"],
    ["a model of vectors", { inputs: "a", model: "sentences" }, 424, "Backend"],
    ["a model that does not exist", { inputs: "a", model: "nobody" }, 404, "Validation"],
    ["a single text for a model of pairs", { inputs: "a", model: "reranker" }, 422, "Validation"],
  ])("refuses %s", async (_what, body, status, errorType) => {
    expect(await refuse("/predict", body)).toMatchObject({ status, error_type: errorType });
  });

  test("refuses what is no JSON, no body of this type, and another method, in its own words", async () => {
    const send = (body: string, type: string) =>
      fetch(`${server.url}/predict`, { method: "POST", headers: { "content-type": type }, body });
    const broken = await send("{", "application/json");
    expect({ status: broken.status, ...((await broken.json()) as Problem) }).toMatchObject({
      status: 400,
      error_type: "Validation",
    });
    expect((await send("{}", "text/plain")).status).toBe(415);
    const get = await fetch(`${server.url}/predict`);
    expect(get.status).toBe(405);
    expect(((await get.json()) as Problem).error_type).toBe("Validation");
  });
});

describe("vectors", () => {
  test("/embed gives a list of vectors of length 1, also for one text", async () => {
    const [one] = await ask<number[][]>("/embed", { inputs: "good movie" });
    const many = await ask<number[][]>("/embed", { inputs: ["bad food", "good movie"] });
    expect(many).toHaveLength(2);
    const length = Math.hypot(...(one ?? []));
    expect(length).toBeCloseTo(1, 5);
    for (const [index, value] of (one ?? []).entries()) {
      expect(many[1]?.[index]).toBeCloseTo(value, 5);
    }
  });

  test("/embed gives the first dimensions at length 1, or all of them as the model made them", async () => {
    const [raw = []] = await ask<number[][]>("/embed", { inputs: "good", normalize: false });
    const [cut = []] = await ask<number[][]>("/embed", { inputs: "good", dimensions: 2 });
    const length = Math.hypot(raw[0] ?? 0, raw[1] ?? 0);
    expect(cut).toHaveLength(2);
    expect(cut[0]).toBeCloseTo((raw[0] ?? 0) / length, 5);
    const refused = await refuse("/embed", { inputs: "good", dimensions: raw.length + 1 });
    expect(refused).toMatchObject({ status: 422, error_type: "Validation" });
  });

  test("/similarity compares as the vectors do", async () => {
    const sentences = ["good movie", "bad food", "the day"];
    const inputs = { source_sentence: "good movie", sentences };
    const similarities = await ask<number[]>("/similarity", { inputs });
    const vectors = await ask<number[][]>("/embed", { inputs: sentences });
    expect(similarities[0]).toBeCloseTo(1, 5);
    for (const [index, vector] of vectors.entries()) {
      const dot = vector.reduce((sum, value, i) => sum + value * (vectors[0]?.[i] ?? 0), 0);
      expect(similarities[index]).toBeCloseTo(dot, 4);
    }
  });

  test.each(["/embed_all", "/embed_sparse", "/decode"])("%s says that it cannot", async (path) => {
    expect(await refuse(path, { inputs: "a" })).toMatchObject({
      status: 424,
      error_type: "Backend",
      error: expect.stringContaining(path),
    });
  });
});

describe("POST /rerank", () => {
  test("sorts texts by their score, with their places and if wanted themselves", async () => {
    const texts = ["bad", "very good movie", "food"];
    const ranks = await ask<{ index: number; text: string; score: number }[]>("/rerank", {
      query: "good",
      texts,
      return_text: true,
    });
    expect(ranks.map(({ text, index }) => texts[index] === text)).toEqual([true, true, true]);
    expect(ranks.map(({ score }) => score)).toEqual(
      ranks.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    const raw = await ask<{ index: number; score: number }[]>("/rerank", {
      query: "good",
      texts,
      raw_scores: true,
    });
    expect(raw.map(({ index }) => index)).toEqual(ranks.map(({ index }) => index));
    for (const [place, { score }] of raw.entries()) {
      expect(ranks[place]?.score).toBeCloseTo(1 / (1 + Math.exp(-score)), 4);
    }
  });

  test("is nothing for a classifier", async () => {
    const body = { query: "a", texts: ["b"], model: "reviews" };
    expect(await refuse("/rerank", body)).toMatchObject({ status: 424, error_type: "Backend" });
  });
});

describe("POST /tokenize", () => {
  interface Token {
    readonly id: number;
    readonly text: string;
    readonly special: boolean;
    readonly start: null;
  }

  test("shows the tokens of each text, with and without the special ones", async () => {
    const [first, second] = await ask<Token[][]>("/tokenize", { inputs: ["very goodx", "bad"] });
    expect(first?.map(({ text }) => text)).toEqual(["[CLS]", "very", "good", "##x", "[SEP]"]);
    expect(first?.map(({ special }) => special)).toEqual([true, false, false, false, true]);
    expect(new Set(first?.map(({ id }) => id)).size).toBe(5);
    expect(first?.[1]?.start).toBeNull();
    expect(second?.map(({ text }) => text)).toEqual(["[CLS]", "bad", "[SEP]"]);
    const bare = await ask<Token[][]>("/tokenize", { inputs: "bad", add_special_tokens: false });
    expect(bare).toEqual([[second?.[1]]]);
  });

  test("shows all tokens of a text that the model reads in windows", async () => {
    const [tokens] = await ask<Token[][]>("/tokenize", { inputs: "good ".repeat(300) });
    expect(tokens).toHaveLength(302);
  });
});

describe("the root", () => {
  test.each(["/", "/invocations"])("POST %s does what the body says", async (path) => {
    expect(await ask(path, { inputs: "good", truncate: true })).toEqual(
      await ask("/predict", { inputs: "good" }),
    );
    const similarity = { inputs: { source_sentence: "good", sentences: ["good"] } };
    expect(await ask(path, similarity)).toEqual([1]);
    expect(await ask<unknown[]>(path, { query: "a", texts: ["b", "c"] })).toHaveLength(2);
  });

  test("answers programs that look whether somebody is there, and leads browsers to the page", async () => {
    const program = await fetch(`${server.url}/`);
    expect(await program.json()).toEqual({ status: "alive" });
    const browser = await fetch(`${server.url}/`, {
      headers: { accept: "text/html,application/xhtml+xml" },
      redirect: "manual",
    });
    expect(browser.status).toBe(302);
    expect(browser.headers.get("location")).toBe("/docs");
  });

  test("/info tells the default model and its labels, /health and /ping that it answers", async () => {
    const info = (await (await fetch(`${server.url}/info`)).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      model_id: "reviews",
      model_type: { classifier: { id2label: { 0: "negative", 2: "positive" } } },
      auto_truncate: true,
    });
    for (const path of ["/health", "/ping"]) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    }
  });
});

describe("whatever JSON is sent", () => {
  const values = [null, 1, true, "", "a", [], {}, [[]], [null], ["a", 1], [["a"], {}], { a: [] }];
  const bodies = [
    ...values,
    ...values.flatMap((value) => [
      { inputs: value, parameters: {} },
      { inputs: value, parameters: value },
      { query: value, texts: value },
      { inputs: { source_sentence: value, sentences: value } },
      { input: value, dimensions: value },
      { inputs: "a", query: "b", texts: ["c"], model: value, truncate: value },
    ]),
  ];

  test.each([
    "/",
    "/predict",
    "/embed",
    "/rerank",
    "/similarity",
    "/tokenize",
    "/v1/moderations",
    "/v1/embeddings",
  ])("%s has an answer, or tells what is wrong", async (path) => {
    for (const body of bodies) {
      const response = await server.post(path, body);
      const answer = (await response.json()) as { error?: unknown };
      const about = `${JSON.stringify(body)}: ${JSON.stringify(answer)}`;
      expect(response.status, about).toBeLessThan(500);
      expect(response.status < 300 || answer.error !== undefined, about).toBe(true);
    }
  });
});
