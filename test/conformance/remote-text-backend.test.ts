import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOpenInferenceBackend } from "../../src/backends/open-inference/create-open-inference-backend.ts";
import { createCarrierTokenizer } from "../../src/backends/remote/text/carrier-tokenizer.ts";
import type { RemoteTextOptions } from "../../src/backends/remote/text/remote-text-backend.ts";
import { createRemoteTextBackend } from "../../src/backends/remote/text/remote-text-backend.ts";
import type { Backend } from "../../src/core/ports/backend.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";
import { applyActivation } from "../../src/core/text/labels.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import type { ScriptedModel, ScriptedModelServer } from "../support/scripted-model-server.ts";
import { ModelBroke, startScriptedModelServer } from "../support/scripted-model-server.ts";
import type { TextModelServer } from "../support/text-model-server.ts";
import { REVIEW_LABELS, startTextModelServer } from "../support/text-model-server.ts";
import { describeBackend } from "./backend.ts";

const BAD = "refuse me";
const TEXTS = ["", "a", "bb", "好", "🙂 smile", "longer than the others", "é", "x".repeat(9_000)];
const clock = createSystemClock();
const { encode } = createCarrierTokenizer();

function encoded(text: string, pair?: string): EncodedText {
  const [window] = encode(text, pair).windows;
  if (window === undefined) throw new Error("no window");
  return window;
}

/** Shares of three labels that a text's first unit and length decide. */
function sharesOf(text: string): number[] {
  const weights = [1 + (text.codePointAt(0) ?? 0), 1 + text.length, 7];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Reads BYTES `[n, 1]` as a batch of Triton does, and answers shares. */
const SHARES: ScriptedModel = {
  signature: {
    inputs: [{ name: "words", datatype: "BYTES", shape: [null, 1] }],
    outputs: [{ name: "probabilities", datatype: "FP32", shape: [null, 3] }],
  },
  readsBinary: true,
  answer: ([words]) => {
    if (words?.datatype !== "BYTES" || words.shape.length !== 2) throw new Error("wrong input");
    const texts = words.data.map(String);
    if (texts.includes(BAD)) throw new ModelBroke("refused");
    const data = Float32Array.from(texts.flatMap(sharesOf));
    return [{ name: "probabilities", datatype: "FP32", shape: [texts.length, 3], data }];
  },
};

let scripted: ScriptedModelServer;
let sluice: TextModelServer;
const backends: Backend[] = [];
beforeAll(async () => {
  scripted = await startScriptedModelServer(SHARES);
  sluice = await startTextModelServer();
});
afterAll(async () => {
  for (const backend of backends) await backend.close();
  await scripted.kill();
  await sluice.close();
});

async function open(
  url: string,
  model: string,
  options: Pick<RemoteTextOptions, "labels" | "appliedFunction" | "needsPairs">,
): Promise<Backend> {
  const tensors = await createOpenInferenceBackend({
    servers: [url],
    model,
    clock,
    maxInFlight: 4,
  });
  const backend = await createRemoteTextBackend({ tensors, clock, ...options });
  backends.push(backend);
  return backend;
}

describeBackend("texts on another server, by its shares", async () => ({
  backend: await open(scripted.url, "m", { labels: ["a", "b", "c"], appliedFunction: "softmax" }),
  width: 3,
  texts: TEXTS.map((text) => encoded(text)),
  badText: encoded(BAD),
  agreement: "bits",
}));

describe("texts on another server", () => {
  test("have the scores that the server gave, after the function that the gateway applies", async () => {
    const labels = ["a", "b", "c"];
    const backend = await open(scripted.url, "m", { labels, appliedFunction: "softmax" });
    for (const [index, row] of (await backend.run(TEXTS.map((text) => encoded(text)))).entries()) {
      const scores = [...applyActivation(row, "softmax")];
      for (const [label, share] of sharesOf(TEXTS[index] ?? "").entries()) {
        expect(scores[label]).toBeCloseTo(share, 6);
      }
    }
  });

  test("have the same scores as from Sluice itself, which is asked for its logits", async () => {
    const backend = await open(sluice.url, "reviews", {
      labels: REVIEW_LABELS,
      appliedFunction: "softmax",
    });
    const texts = ["wonderful", "it broke at once", "so so"];
    const rows = await backend.run(texts.map((text) => encoded(text)));
    for (const [index, text] of texts.entries()) {
      const answer = await sluice.post("/v2/models/reviews/infer", {
        inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: [text] }],
        outputs: [{ name: "logits" }],
      });
      const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
      const logits = outputs[0]?.data ?? [];
      expect([...(rows[index] ?? [])]).toHaveLength(REVIEW_LABELS.length);
      for (const [label, value] of (rows[index] ?? []).entries()) {
        expect(value).toBeCloseTo(logits[label] ?? Number.NaN, 5);
      }
    }
  });

  test("can be pairs with a score, and vectors", async () => {
    const reranker = await open(sluice.url, "reranker", {
      labels: ["score"],
      appliedFunction: "sigmoid",
      needsPairs: true,
    });
    const [pair] = await reranker.run([encoded("what", "this")]);
    expect(pair).toHaveLength(1);
    const sentences = await open(sluice.url, "sentences", { labels: [], appliedFunction: "none" });
    const [one, other] = await sentences.run([encoded("one"), encoded("another")]);
    expect(one?.length).toBeGreaterThan(1);
    expect(one).not.toEqual(other);
  });
});
