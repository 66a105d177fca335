import { SluiceError } from "../../core/errors.ts";
import type { ConformanceCase, Subject, Verdict } from "../case.ts";
import { fail, pass, unsupported } from "../case.ts";
import type { HttpProbe, ProbeAnswer } from "../http-probe.ts";
import { describe, expectThat, fieldsOf, listOf, wrongStatus } from "../judge.ts";

const SPEC = "Text Embeddings Inference, router";

/** What the server's one model does. */
export interface TeiTarget extends Subject {
  readonly kind: "classifier" | "embedding" | "reranker";
  post(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ProbeAnswer>;
}

/** @throws SluiceError `not_found` when `/info` does not say what the model does */
export async function findTeiTarget(
  http: HttpProbe,
  { model, version }: { readonly model: string | undefined; readonly version: string | undefined },
): Promise<TeiTarget> {
  const info = fieldsOf((await http.send({ path: "/info" })).json);
  const types = Object.keys(fieldsOf(info["model_type"]));
  const kind = (["classifier", "embedding", "reranker"] as const).find((one) =>
    types.includes(one),
  );
  if (kind === undefined)
    throw new SluiceError("not_found", "GET /info does not say what the server's model does.");
  return {
    http,
    model: model ?? String(info["model_id"]),
    version,
    kind,
    post: (path, body, headers = { "content-type": "application/json" }) =>
      http.send({
        method: "POST",
        path,
        headers,
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
}

type Case = ConformanceCase<TeiTarget>;

const TEXT = "The battery lasts all day.";

/** Labels with scores, best first. */
function areRanked(value: unknown): boolean {
  const scores = listOf(value).map((entry) => fieldsOf(entry)["score"]);
  const labels = listOf(value).map((entry) => fieldsOf(entry)["label"]);
  const isSorted = scores.every((score, i) => i === 0 || Number(scores[i - 1]) >= Number(score));
  return scores.length > 0 && isSorted && labels.every((label) => typeof label === "string");
}

/** A case for one kind of model; servers of another kind answer 424, and have no such thing. */
function forKind(
  kind: TeiTarget["kind"],
  {
    id,
    title,
    level = "required",
  }: { readonly id: string; readonly title: string; readonly level?: Case["level"] },
  run: (target: TeiTarget) => Promise<Verdict>,
): Case {
  return {
    id: `tei.${id}`,
    title,
    source: SPEC,
    level,
    run: async (target) =>
      target.kind === kind ? await run(target) : unsupported(`the model is a ${target.kind}`),
  };
}

const predict = (
  id: string,
  title: string,
  body: unknown,
  holds: (json: unknown) => boolean,
  expected: string,
) =>
  forKind("classifier", { id, title }, async ({ post }) => {
    const answer = await post("/predict", body);
    return expectThat(answer, holds(answer.json), expected);
  });

const isBatch = (count: number) => (json: unknown) =>
  listOf(json).length === count && listOf(json).every(areRanked);

const refused = (
  id: string,
  title: string,
  body: unknown,
  statuses: readonly number[],
  options: { readonly typed?: boolean; readonly headers?: Readonly<Record<string, string>> } = {},
): Case => ({
  id: `tei.refuse.${id}`,
  title,
  source: SPEC,
  level: "required",
  run: async (target) => {
    const path = { classifier: "/predict", embedding: "/embed", reranker: "/rerank" }[target.kind];
    const answer = await target.post(path, body, options.headers);
    const wrong = wrongStatus(answer, ...statuses);
    if (wrong !== undefined || options.typed === false) return wrong ?? pass(String(answer.status));
    const { error, error_type: type } = fieldsOf(answer.json);
    const isTyped = typeof error === "string" && typeof type === "string";
    return isTyped
      ? pass(`${answer.status} ${type}`)
      : fail("error and error_type", describe(answer));
  },
});

/** Everything that is tried of Text Embeddings Inference's HTTP. */
export const TEI_CASES: readonly Case[] = [
  {
    id: "tei.health",
    title: "health",
    source: SPEC,
    level: "required",
    run: async ({ http }) => wrongStatus(await http.send({ path: "/health" }), 200) ?? pass(),
  },
  {
    id: "tei.info",
    title: "info names the model, its type and the limits",
    source: SPEC,
    level: "required",
    run: async ({ http }) => {
      const answer = await http.send({ path: "/info" });
      const info = fieldsOf(answer.json);
      const needed = [
        "model_id",
        "model_type",
        "max_input_length",
        "max_client_batch_size",
        "version",
      ];
      const missing = needed.filter((name) => info[name] === undefined);
      return expectThat(answer, missing.length === 0, needed.join(", "));
    },
  },
  predict(
    "predict.single",
    "predict one text: all labels, best first",
    { inputs: TEXT },
    areRanked,
    "[{label, score}, …]",
  ),
  predict(
    "predict.one",
    "predict a list of one text",
    { inputs: [TEXT] },
    areRanked,
    "[{label, score}, …]",
  ),
  predict(
    "predict.batch",
    "predict a batch",
    { inputs: [[TEXT], ["Awful."]] },
    isBatch(2),
    "two lists of labels",
  ),
  forKind(
    "classifier",
    { id: "predict.pair", title: "predict a pair of texts", level: "recommended" },
    async ({ post }) => {
      const answer = await post("/predict", { inputs: [TEXT, "Awful."] });
      if (answer.status >= 400 && answer.status < 500) return unsupported(describe(answer));
      return expectThat(answer, areRanked(answer.json), "[{label, score}, …]");
    },
  ),
  forKind(
    "classifier",
    { id: "predict.raw", title: "raw_scores gives other numbers" },
    async ({ post }) => {
      const scores = async (raw: boolean) => {
        const { json } = await post("/predict", { inputs: TEXT, raw_scores: raw });
        return JSON.stringify(listOf(json).map((entry) => fieldsOf(entry)["score"]));
      };
      const [raw, cooked] = [await scores(true), await scores(false)];
      return raw === cooked ? fail("raw numbers", raw) : pass();
    },
  ),
  forKind(
    "classifier",
    { id: "predict.three", title: "three plain texts, neither pair nor batch, are refused" },
    async ({ post }) => {
      const answer = await post("/predict", { inputs: ["a", "b", "c"] });
      return wrongStatus(answer, 400, 422) ?? pass(String(answer.status));
    },
  ),
  forKind(
    "embedding",
    { id: "embed", title: "embed a text and a list of texts" },
    async ({ post }) => {
      const one = await post("/embed", { inputs: TEXT });
      const [vector] = listOf(one.json);
      const isVector =
        listOf(vector).length > 1 && listOf(vector).every((value) => typeof value === "number");
      if (!isVector) return expectThat(one, false, "a list of one vector");
      const two = await post("/embed", { inputs: [TEXT, "Awful."] });
      return expectThat(two, listOf(two.json).length === 2, "two vectors");
    },
  ),
  forKind("embedding", { id: "similarity", title: "similarity of sentences" }, async ({ post }) => {
    const answer = await post("/similarity", {
      inputs: { source_sentence: TEXT, sentences: [TEXT, "Awful."] },
    });
    const [same] = listOf(answer.json);
    return expectThat(answer, Number(same) > 0.99, "1 for the same sentence");
  }),
  forKind("reranker", { id: "rerank", title: "rerank texts, best first" }, async ({ post }) => {
    const answer = await post("/rerank", {
      query: "How long does it last?",
      texts: ["Blue.", TEXT],
    });
    const scores = listOf(answer.json).map((entry) => Number(fieldsOf(entry)["score"]));
    return expectThat(
      answer,
      scores.length === 2 && (scores[0] ?? 0) >= (scores[1] ?? 0),
      "two scores, best first",
    );
  }),
  {
    id: "tei.tokenize",
    title: "tokenize",
    source: SPEC,
    level: "extension",
    run: async ({ post }) => {
      const answer = await post("/tokenize", { inputs: TEXT });
      if ([404, 424].includes(answer.status)) return unsupported(describe(answer));
      const [tokens] = listOf(answer.json);
      return expectThat(
        answer,
        typeof fieldsOf(listOf(tokens)[0])["id"] === "number",
        "[[{id, text, special, start, stop}, …]]",
      );
    },
  },
  {
    id: "tei.headers",
    title: "answers tell where the time went",
    source: SPEC,
    level: "recommended",
    run: async ({ kind, post }) => {
      const body = kind === "reranker" ? { query: TEXT, texts: [TEXT] } : { inputs: TEXT };
      const { headers } = await post(
        { classifier: "/predict", embedding: "/embed", reranker: "/rerank" }[kind],
        body,
      );
      const missing = ["x-compute-time", "x-total-time", "x-queue-time", "x-inference-time"].filter(
        (name) => headers[name] === undefined,
      );
      return missing.length === 0
        ? pass()
        : fail("x-compute-time and its kin", `without ${missing.join(", ")}`);
    },
  },
  refused("json", "what is no JSON is refused", "{", [400, 422], { typed: false }),
  refused("shape", "a body of another shape is refused", { texts: 5 }, [400, 422], {
    typed: false,
  }),
  refused(
    "type",
    "a body without a content type is refused",
    JSON.stringify({ inputs: TEXT }),
    [415],
    { typed: false, headers: {} },
  ),
  {
    id: "tei.refuse.empty",
    title: "an empty batch is refused, with its type",
    source: SPEC,
    level: "required",
    run: async ({ kind, post }) => {
      const answer =
        kind === "reranker"
          ? await post("/rerank", { query: TEXT, texts: [] })
          : await post(kind === "classifier" ? "/predict" : "/embed", { inputs: [] });
      const { error, error_type: type } = fieldsOf(answer.json);
      if (answer.status < 400 || answer.status >= 500)
        return fail("a status of the 4xx", describe(answer));
      return typeof error === "string" && typeof type === "string"
        ? pass(`${answer.status} ${type}`)
        : pass(`${answer.status} without a type`);
    },
  },
];
