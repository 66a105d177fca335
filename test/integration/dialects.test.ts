import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GRPCInferenceService } from "../../src/generated/open_inference_pb.ts";
import { DataType, TensorProtoSchema } from "../../src/generated/tensorflow_pb.ts";
import { PredictionService } from "../../src/generated/tensorflow_serving_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
let client: GrpcClient;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "cache.store.driver": "none",
    "rateLimit.requests": "0",
    // A batch waits for all of them, or for a while.
    "batching.maxQueueDelayMs": "400",
    "batching.minBatchItems": "8",
    "batching.maxBatchItems": "8",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
  client = new GrpcClient(server.grpcAddress ?? "");
}, 60_000);
afterAll(async () => {
  client.close();
  await server.drain();
  await models.remove();
});

async function post(path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return await answer.json();
}

/** The score of `positive` by every way in which it can be asked. */
const WAYS: Readonly<Record<string, (text: string) => Promise<number>>> = {
  native: async (text) => {
    const { predictions } = (await post("/classify", { text, top_k: 0 })) as {
      predictions: { label: string; confidence: number }[];
    };
    return predictions.find(({ label }) => label === "positive")?.confidence ?? -1;
  },
  "TensorFlow Serving": async (text) => {
    const { predictions } = (await post("/v1/models/reviews:predict", { instances: [text] })) as {
      predictions: { labels: string[]; scores: number[] }[];
    };
    return predictions[0]?.scores[predictions[0].labels.indexOf("positive")] ?? -1;
  },
  "TensorFlow Serving over gRPC": async (text) => {
    const { outputs } = await client.call(PredictionService.method.predict, {
      modelSpec: { name: "reviews" },
      inputs: {
        text: create(TensorProtoSchema, {
          dtype: DataType.DT_STRING,
          tensorShape: { dim: [{ size: 1n }] },
          stringVal: [Buffer.from(text)],
        }),
      },
    });
    const labels = (outputs["labels"]?.stringVal ?? []).map((label) =>
      Buffer.from(label).toString(),
    );
    return outputs["scores"]?.floatVal[labels.indexOf("positive")] ?? -1;
  },
  "Open Inference": async (text) => {
    const inputs = [{ name: "text", shape: [1], datatype: "BYTES", data: [text] }];
    const outputs = [{ name: "scores" }, { name: "labels" }];
    const answer = (await post("/v2/models/reviews/infer", { inputs, outputs })) as {
      outputs: { data: unknown[] }[];
    };
    const [scores, labels] = answer.outputs.map(({ data }) => data);
    return Number(scores?.[labels?.indexOf("positive") ?? -1]);
  },
  "Open Inference over gRPC": async (text) => {
    const { outputs } = await client.call(GRPCInferenceService.method.modelInfer, {
      modelName: "reviews",
      inputs: [
        {
          name: "text",
          datatype: "BYTES",
          shape: [1n],
          contents: { bytesContents: [Buffer.from(text)] },
        },
      ],
      outputs: [{ name: "scores" }, { name: "labels" }],
    });
    const labels = (outputs[1]?.contents?.bytesContents ?? []).map((label) =>
      Buffer.from(label).toString(),
    );
    return outputs[0]?.contents?.fp32Contents[labels.indexOf("positive")] ?? -1;
  },
  "Text Embeddings Inference": async (text) => {
    const labels = (await post("/predict", { inputs: text })) as { label: string; score: number }[];
    return labels.find(({ label }) => label === "positive")?.score ?? -1;
  },
  "Hugging Face": async (text) => {
    const [labels] = (await post("/", { inputs: text, parameters: { top_k: 2 } })) as {
      label: string;
      score: number;
    }[][];
    return labels?.find(({ label }) => label === "positive")?.score ?? -1;
  },
  OpenAI: async (text) => {
    const { results } = (await post("/v1/moderations", { input: text })) as {
      results: { category_scores: Record<string, number> }[];
    };
    return results[0]?.category_scores["positive"] ?? -1;
  },
};

test("the same text has the same score by every protocol", async () => {
  for (const text of ["A good film.", "bad, bad, bad", "Ein Film. 一部电影。"]) {
    const scores = await Promise.all(Object.values(WAYS).map((ask) => ask(text)));
    for (const [index, score] of scores.entries()) {
      expect(score, Object.keys(WAYS)[index]).toBeCloseTo(scores[0] ?? -1, 5);
      expect(score).toBeGreaterThanOrEqual(0);
    }
  }
});

test("requests of all protocols run in one batch", async () => {
  const asks = Object.values(WAYS);
  // Connections are opened first, so that all arrive within one wait of the batcher.
  await Promise.all(asks.map((ask, i) => ask(`warm ${i}`)));
  const before = await readBatchesOf(asks.length);
  await Promise.all(asks.map((ask, i) => ask(`A text of its own, number ${i}.`)));
  expect(asks).toHaveLength(8);
  expect(await readBatchesOf(asks.length)).toBe(before + 1);
});

/** How many batches had exactly so many texts. */
async function readBatchesOf(items: number): Promise<number> {
  const answer = await fetch(`${server.url}/v2/models/reviews/stats`);
  const { model_stats } = (await answer.json()) as {
    model_stats: { batch_stats: { batch_size: number; compute_infer: { count: number } }[] }[];
  };
  const sizes = model_stats[0]?.batch_stats ?? [];
  return sizes.find(({ batch_size }) => batch_size === items)?.compute_infer.count ?? 0;
}
