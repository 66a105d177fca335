import { hash } from "node:crypto";
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  UnprocessableEntityError,
} from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TextModelServer } from "../support/text-model-server.ts";
import { REVIEW_LABELS, startTextModelServer } from "../support/text-model-server.ts";

const KEY = "slc_test-key";

let server: TextModelServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTextModelServer({
    "auth.required": "always",
    "auth.keys": JSON.stringify([{ id: "shop", sha256: hash("sha256", KEY, "hex") }]),
  });
  client = createClient(KEY);
}, 60_000);
afterAll(() => server.close());

function createClient(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
}

const embed = (input: string | string[], more: object = {}) =>
  client.embeddings.create({ input, model: "sentences", ...more });

describe("the official client asks for moderation", () => {
  test("of one text: every label of the model has a score, and so have the fixed categories", async () => {
    const answer = await client.moderations.create({ input: "very bad food" });
    const [result] = answer.results;
    expect(answer).toMatchObject({ model: "reviews", id: expect.stringMatching(/^modr-.+/) });
    const scores = result?.category_scores as unknown as Record<string, number>;
    expect(REVIEW_LABELS.reduce((sum, label) => sum + (scores[label] ?? 0), 0)).toBeCloseTo(1, 5);
    expect(result?.category_scores.violence).toBe(0);
    expect(result?.categories.violence).toBe(false);
    expect(result?.category_applied_input_types.violence).toEqual([]);
    expect(result?.flagged).toBe((scores["negative"] ?? 0) >= 0.5);
  });

  test("of several texts, and of one that comes in parts", async () => {
    const several = await client.moderations.create({ input: ["good movie", "bad food"] });
    expect(several.results).toHaveLength(2);
    const parts = await client.moderations.create({ input: [{ type: "text", text: "bad food" }] });
    expect(parts.results).toEqual([several.results[1]]);
  });

  test("of an image, and learns that nobody here sees any", async () => {
    const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } } as const;
    const asked = client.moderations.create({ input: [{ type: "text", text: "a" }, image] });
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ param: "input[1]", type: "invalid_request_error" });
  });

  test("of a model of vectors, and learns that it is the wrong one", async () => {
    const asked = client.moderations.create({ input: "a", model: "sentences" });
    await expect(asked).rejects.toBeInstanceOf(BadRequestError);
    await expect(asked).rejects.toMatchObject({ param: "model" });
  });
});

describe("the official client asks for vectors", () => {
  test("and gets the same as Base64, which it asks for by itself, and as numbers", async () => {
    const packed = await embed("good movie");
    const plain = await embed("good movie", { encoding_format: "float" });
    const [vector = []] = packed.data.map(({ embedding }) => embedding);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(plain.data[0]?.embedding).toHaveLength(vector.length);
    for (const [index, value] of (plain.data[0]?.embedding ?? []).entries()) {
      expect(vector[index]).toBeCloseTo(value, 6);
    }
    expect(packed.model).toBe("sentences");
  });

  test("of several texts, in order, with the tokens that they have", async () => {
    const [one, two, both] = await Promise.all([
      embed("good movie"),
      embed("bad"),
      embed(["good movie", "bad"]),
    ]);
    expect(both.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(both.usage.total_tokens).toBe(one.usage.total_tokens + two.usage.total_tokens);
    // Both words are in the vocabulary, and BERT adds one token before and one behind.
    expect(one.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
    const short = await embed("good movie", { dimensions: 3 });
    expect(short.data[0]?.embedding).toHaveLength(3);
  });

  test("of ids, and learns to send texts", async () => {
    const asked = client.embeddings.create({ input: [1, 2, 3], model: "sentences" });
    await expect(asked).rejects.toBeInstanceOf(BadRequestError);
    await expect(asked).rejects.toMatchObject({ param: "input" });
  });
});

describe("the official client raises", () => {
  test("its own error for a wrong key", async () => {
    const asked = createClient("wrong").moderations.create({ input: "a" });
    await expect(asked).rejects.toBeInstanceOf(AuthenticationError);
    await expect(asked).rejects.toMatchObject({ code: "invalid_api_key" });
  });

  test("its own error for a model that does not exist, and never one for bodies it cannot read", async () => {
    const asked = client.moderations.create({ input: "a", model: "nobody" });
    await expect(asked).rejects.toBeInstanceOf(NotFoundError);
    await expect(asked).rejects.toMatchObject({ code: "model_not_found" });
    await expect(asked).rejects.not.toBeInstanceOf(UnprocessableEntityError);
  });
});

test("the official client, which always sends a key, is answered by a server that has none", async () => {
  const open = await startTextModelServer();
  try {
    const stranger = new OpenAI({
      baseURL: `${open.url}/v1`,
      apiKey: "none",
      maxRetries: 0,
    });
    const { results } = await stranger.moderations.create({ input: "good movie" });
    expect(results).toHaveLength(1);
  } finally {
    await open.close();
  }
});
