import { hash } from "node:crypto";
import { InferenceClient } from "@huggingface/inference";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithPython } from "../support/python-environment.ts";
import type { TextModelServer } from "../support/text-model-server.ts";
import { REVIEW_LABELS, startTextModelServer } from "../support/text-model-server.ts";

const KEY = "slc_test-key";

let server: TextModelServer;
beforeAll(async () => {
  server = await startTextModelServer({
    "auth.required": "always",
    "auth.keys": JSON.stringify([{ id: "shop", sha256: hash("sha256", KEY, "hex") }]),
  });
}, 60_000);
afterAll(() => server.close());

/** What the native protocol says about the same text. */
async function askNatively(body: object): Promise<{ label: string; score: number }[]> {
  const response = await server.classify(body, { authorization: `Bearer ${KEY}` });
  const { predictions } = (await response.json()) as {
    predictions: { label: string; confidence: number }[];
  };
  return predictions.map(({ label, confidence }) => ({ label, score: confidence }));
}

describe("@huggingface/inference", () => {
  const connect = (path = "") =>
    new InferenceClient(KEY, { endpointUrl: `${server.url}${path}`, retry_on_error: false });

  test("classifies a text, with and without its options", async () => {
    const inputs = "very good movie";
    const labels = await connect().textClassification({ inputs });
    expect(labels).toEqual(await askNatively({ text: inputs, top_k: 0 }));
    const parameters = { top_k: 1, function_to_apply: "sigmoid" } as const;
    const best = await connect().textClassification({ inputs, parameters });
    expect(best).toEqual(await askNatively({ text: inputs, ...parameters }));
    expect(await connect("/predict").textClassification({ inputs, parameters })).toEqual(best);
  });

  test("makes vectors and compares sentences", async () => {
    const client = connect("/embed");
    const vectors = (await client.featureExtraction({
      inputs: ["good movie", "bad food"],
      normalize: true,
    })) as number[][];
    expect(vectors).toHaveLength(2);
    const similarities = await connect().sentenceSimilarity({
      inputs: { source_sentence: "good movie", sentences: ["good movie", "bad food"] },
    });
    expect(similarities[0]).toBeCloseTo(1, 5);
    const dot = vectors[0]?.reduce((sum, value, i) => sum + value * (vectors[1]?.[i] ?? 0), 0);
    expect(similarities[1]).toBeCloseTo(dot ?? Number.NaN, 4);
  });

  test("tells why labels of the caller's own are refused, and why a key is", async () => {
    const asked = connect().zeroShotClassification({
      inputs: "good",
      parameters: { candidate_labels: ["a", "b"] },
    });
    await expect(asked).rejects.toThrow("zero-shot classification");
    const stranger = new InferenceClient("wrong", { endpointUrl: server.url });
    await expect(stranger.textClassification({ inputs: "good" })).rejects.toMatchObject({
      httpResponse: { status: 401 },
    });
  });
});

/** Prints one JSON object of everything that the client answers. */
const PYTHON = `
import json, sys
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

url, key = sys.argv[1:]
client = InferenceClient(model=url, token=key)
endpoint = InferenceClient(model=url, token=key, provider="hf-inference")
text = "very good movie"
report = {
    "labels": client.text_classification(text),
    "best": client.text_classification(text, top_k=1, function_to_apply="sigmoid"),
    "predict": client.text_classification(text, model=url + "/predict"),
    "vector": client.feature_extraction(text, model=url + "/embed", normalize=True, truncate=True).shape,
    "vectors": client.feature_extraction([text, "bad"], model=url + "/embed").shape,
    "similarity": client.sentence_similarity("good", other_sentences=["good", "bad"]),
    "info": endpoint.get_endpoint_info()["model_id"],
    "healthy": endpoint.health_check(),
}
for name, call in {
    "zero_shot": lambda: client.zero_shot_classification(text, ["a", "b"]),
    "stranger": lambda: InferenceClient(model=url, token="wrong").text_classification(text),
}.items():
    try:
        call()
        report[name] = "answered"
    except HfHubHTTPError as error:
        report[name] = "%d %s" % (error.response.status_code, error)
print(json.dumps(report))
`;

await describeWithPython(
  "huggingface_hub",
  ["huggingface_hub==2.4.0", "numpy==2.2.6"],
  (environment) => {
    test("classifies, makes vectors, compares and looks around", async () => {
      const report = JSON.parse(await environment.run(["-c", PYTHON, server.url, KEY])) as Record<
        string,
        unknown
      >;
      const text = "very good movie";
      const labels = await askNatively({ text, top_k: 0 });
      expect(labels.map(({ label }) => label).sort()).toEqual(REVIEW_LABELS);
      expect(report).toMatchObject({
        labels,
        best: await askNatively({ text, top_k: 1, function_to_apply: "sigmoid" }),
        predict: labels,
        vector: [1, 48],
        vectors: [2, 48],
        similarity: [expect.closeTo(1, 5), expect.any(Number)],
        info: "reviews",
        healthy: true,
        zero_shot: expect.stringMatching(/^422 [\s\S]*zero-shot classification/),
        stranger: expect.stringMatching(/^401 /),
      });
    });
  },
);
