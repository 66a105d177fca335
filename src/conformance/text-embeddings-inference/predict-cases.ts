import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped } from "../case.ts";
import { describeAnswer, isObject, judgeStatus, readJson } from "../judge.ts";
import type { TextServer } from "./server.ts";
import { isDescending, post, readScored } from "./server.ts";

const SOURCE = "Text Embeddings Inference: POST /predict";
const TEXT = "The battery lasts all day.";
const OTHER = "What a bore, I left early.";

/** Labels of texts. A server of another model has to refuse the call. */
export const PREDICT_CASES: readonly ConformanceCase<TextServer>[] = [
  predict("single", "a text gets all labels, best first", async (server) => {
    const answer = await post(server, "/predict", { inputs: TEXT });
    const scored = answer.status === 200 ? readScored(readJson(answer)) : undefined;
    if (scored === undefined) return fail('[{"label", "score"}, …]', describeAnswer(answer));
    return isDescending(scored.map(({ score }) => score))
      ? pass()
      : fail("scores in descending order", describeAnswer(answer));
  }),
  predict("all-labels", "every label of the model is in the answer", async (server) => {
    const type = server.info["model_type"];
    const classifier = isObject(type) ? type["classifier"] : undefined;
    const id2label = isObject(classifier) ? classifier["id2label"] : undefined;
    if (!isObject(id2label)) return skipped("/info names no labels");
    const answer = await post(server, "/predict", { inputs: TEXT });
    const found = readScored(readJson(answer))?.map(({ label }) => label) ?? [];
    const labels = Object.values(id2label).filter((label) => typeof label === "string");
    const isSame = JSON.stringify(found.sort()) === JSON.stringify(labels.sort());
    return isSame ? pass() : fail(labels.join(", "), describeAnswer(answer));
  }),
  predict("one-element-list", "a list of one text is that text", async (server) => {
    const answer = await post(server, "/predict", { inputs: [TEXT] });
    return readScored(readJson(answer)) === undefined
      ? fail('[{"label", "score"}, …]', describeAnswer(answer))
      : pass();
  }),
  predict("pair", "a list of two texts is one pair, not a batch", async (server) => {
    const answer = await post(server, "/predict", { inputs: [TEXT, OTHER] });
    if (answer.status === 424 || answer.status === 422) {
      return skipped(`the model reads no pairs: ${describeAnswer(answer)}`);
    }
    return readScored(readJson(answer)) === undefined
      ? fail("one list of labels", describeAnswer(answer))
      : pass();
  }),
  predict("batch", "a list of lists is a batch", async (server) => {
    const answer = await post(server, "/predict", { inputs: [[TEXT], [OTHER], [TEXT]] });
    const rows = readJson(answer);
    const isRight =
      Array.isArray(rows) && rows.length === 3 && rows.every((row) => readScored(row));
    if (!isRight) return fail("three lists of labels", describeAnswer(answer));
    const [first, , third] = rows.map((row) => readScored(row)?.[0]?.label);
    return first === third ? pass() : fail("equal texts, equal labels", describeAnswer(answer));
  }),
  predict("raw-scores", "raw_scores gives the model's outputs as they are", async (server) => {
    const plain = readScored(readJson(await post(server, "/predict", { inputs: TEXT })));
    const answer = await post(server, "/predict", { inputs: TEXT, raw_scores: true });
    const raw = readScored(readJson(answer));
    if (raw === undefined) return fail('[{"label", "score"}, …]', describeAnswer(answer));
    const isSame = raw.every((one, place) => one.score === plain?.[place]?.score);
    return isSame ? fail("scores that differ from those without", describeAnswer(answer)) : pass();
  }),
  predict("truncate", "truncate and truncation_direction are taken", async (server) => {
    const body = { inputs: TEXT, truncate: null, truncation_direction: "Right" };
    return judgeStatus(await post(server, "/predict", body), [200]);
  }),
  predict("compute-headers", "headers tell type, characters and times", async (server) => {
    const { headers } = await post(server, "/predict", { inputs: TEXT });
    const names = ["characters", "time"].map((name) => `x-compute-${name}`);
    const stages = ["total", "tokenization", "queue", "inference"].map((name) => `x-${name}-time`);
    const wrong = [...names, ...stages].filter((name) => !/^\d+$/.test(headers[name] ?? ""));
    if (headers["x-compute-type"] === undefined) wrong.push("x-compute-type");
    if (wrong.length > 0) return fail("whole numbers in each", `missing: ${wrong.join(", ")}`);
    return headers["x-compute-tokens"] === undefined ? pass("x-compute-tokens is absent") : pass();
  }),
  predict("three-texts", "a list of three plain texts is refused", async (server) =>
    judgeStatus(await post(server, "/predict", { inputs: [TEXT, OTHER, TEXT] }), [400, 422]),
  ),
  predict("alias", "POST / predicts too", async (server) =>
    judgeStatus(await post(server, "/", { inputs: TEXT }), [200]),
  ),
  predict("task-api", "parameters of the task API bring the best labels", async (server) => {
    const body = { inputs: TEXT, parameters: { top_k: 1, function_to_apply: "sigmoid" } };
    const answer = await post(server, "/", body);
    const value = readJson(answer);
    const rows: unknown = Array.isArray(value) && Array.isArray(value[0]) ? value[0] : value;
    const scored = readScored(rows);
    if (scored === undefined) return fail("labels with scores", describeAnswer(answer));
    return scored.length === 1 ? pass() : pass("parameters are ignored, as by the original");
  }),
];

function predict(
  id: string,
  title: string,
  judge: (server: TextServer) => Promise<Verdict>,
): ConformanceCase<TextServer> {
  const isExtra = id === "task-api" || id === "compute-headers";
  return {
    id: `predict/${id}`,
    title,
    source: id === "task-api" ? "Hugging Face's clients: text classification" : SOURCE,
    level: isExtra ? "recommended" : "required",
    async run(server) {
      if (server.kind === "classifier") return judge(server);
      return skipped(`the model is of kind ${server.kind}; see other-kind/predict`);
    },
  };
}
