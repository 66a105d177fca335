import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped, unsupported } from "../case.ts";
import { describeAnswer, isObject, judgeStatus, readJson } from "../judge.ts";
import type { ModelKind, TextServer } from "./server.ts";
import { isDescending, post } from "./server.ts";

const SOURCE = "Text Embeddings Inference";
const TEXTS = ["The battery lasts all day.", "What a bore, I left early."] as const;

/** What the server tells of itself, and calls of embedding models and rerankers. */
export const OTHER_CASES: readonly ConformanceCase<TextServer>[] = [
  {
    id: "info",
    title: "/info tells the model and its limits",
    source: `${SOURCE}: GET /info`,
    level: "required",
    async run({ info }) {
      const texts = ["model_id", "model_dtype", "version"];
      const numbers = ["max_concurrent_requests", "max_input_length", "max_client_batch_size"];
      const wrong = [
        ...texts.filter((name) => typeof info[name] !== "string"),
        ...numbers.filter((name) => !Number.isInteger(info[name])),
      ];
      return wrong.length === 0 ? pass() : fail("all members", `missing: ${wrong.join(", ")}`);
    },
  },
  {
    id: "health",
    title: "/health is 200",
    source: `${SOURCE}: GET /health`,
    level: "required",
    run: async ({ send }) => judgeStatus(await send({ method: "GET", path: "/health" }), [200]),
  },
  {
    id: "tokenize",
    title: "/tokenize gives tokens with ids",
    source: `${SOURCE}: POST /tokenize`,
    level: "recommended",
    async run(server) {
      const answer = await post(server, "/tokenize", { inputs: TEXTS[0] });
      if (answer.status === 424 || answer.status === 404)
        return unsupported(describeAnswer(answer));
      const rows = readJson(answer);
      const tokens: unknown = Array.isArray(rows) ? rows[0] : undefined;
      const isRight =
        Array.isArray(tokens) &&
        tokens.length > 0 &&
        tokens.every(
          (token) =>
            isObject(token) && Number.isInteger(token["id"]) && typeof token["text"] === "string",
        );
      return isRight ? pass() : fail('[[{"id", "text", …}]]', describeAnswer(answer));
    },
  },
  of("embedding", "embed/single", "a text gets one vector of length 1", async (server) => {
    const answer = await post(server, "/embed", { inputs: TEXTS[0] });
    const vectors = readVectors(readJson(answer));
    if (vectors?.length !== 1) return fail("[[…]]", describeAnswer(answer));
    const length = Math.hypot(...(vectors[0] ?? []));
    return Math.abs(length - 1) < 0.01 ? pass() : fail("length 1", `length ${length}`);
  }),
  of("embedding", "embed/batch", "a list of texts gets as many vectors", async (server) => {
    const answer = await post(server, "/embed", { inputs: TEXTS });
    return readVectors(readJson(answer))?.length === TEXTS.length
      ? pass()
      : fail(`${TEXTS.length} vectors`, describeAnswer(answer));
  }),
  of("embedding", "similarity", "a text is more like itself than like another", async (server) => {
    const inputs = { source_sentence: TEXTS[0], sentences: TEXTS };
    const answer = await post(server, "/similarity", { inputs });
    const scores = readJson(answer);
    const isRight = isNumbers(scores) && scores.length === 2 && isDescending(scores);
    return isRight ? pass() : fail("two numbers, the first larger", describeAnswer(answer));
  }),
  of("reranker", "rerank/sorted", "texts come back best first", async (server) => {
    const body = { query: "battery", texts: TEXTS, return_text: true };
    const answer = await post(server, "/rerank", body);
    const rows = readJson(answer);
    const isRight =
      Array.isArray(rows) &&
      rows.length === TEXTS.length &&
      rows.every((row) => isObject(row) && TEXTS[Number(row["index"])] === row["text"]) &&
      isDescending(rows.map(({ score }) => Number(score)));
    return isRight ? pass() : fail('[{"index", "score", "text"}]', describeAnswer(answer));
  }),
];

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}

function readVectors(value: unknown): number[][] | undefined {
  return Array.isArray(value) && value.every(isNumbers) ? value : undefined;
}

function of(
  kind: ModelKind,
  id: string,
  title: string,
  judge: (server: TextServer) => Promise<Verdict>,
): ConformanceCase<TextServer> {
  return {
    id,
    title,
    source: `${SOURCE}: POST /${id.split("/")[0]}`,
    level: "required",
    run: async (server) =>
      server.kind === kind ? judge(server) : skipped(`the model is no ${kind}`),
  };
}
