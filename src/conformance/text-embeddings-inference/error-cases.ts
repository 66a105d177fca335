import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass } from "../case.ts";
import { describeAnswer, readObject } from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import type { TextServer } from "./server.ts";
import { post } from "./server.ts";

const SOURCE = "Text Embeddings Inference: errors";

const ERROR_TYPES = ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer", "Empty"];

/** The calls of each kind of model, with an input that its model would take. */
const CALLS = {
  classifier: { path: "/predict", good: { inputs: "a" }, empty: { inputs: "" } },
  embedding: { path: "/embed", good: { inputs: "a" }, empty: { inputs: "" } },
  reranker: {
    path: "/rerank",
    good: { query: "a", texts: ["b"] },
    empty: { query: "a", texts: [] },
  },
} as const;

/** Wrong requests, and calls that the model is not made for. */
export const ERROR_CASES: readonly ConformanceCase<TextServer>[] = [
  {
    id: "errors/body",
    title: "an error has the members error and error_type",
    source: SOURCE,
    level: "required",
    async run(server) {
      const { path, empty } = CALLS[server.kind];
      const answer = await post(server, path, empty);
      const found = readObject(answer);
      const type = found?.["error_type"];
      if (typeof found?.["error"] !== "string" || typeof type !== "string") {
        return fail("error and error_type, both texts", describeAnswer(answer));
      }
      return ERROR_TYPES.includes(type) ? pass() : fail(ERROR_TYPES.join(", "), type);
    },
  },
  error("empty-inputs", "an empty input is refused with 400", async (server) => {
    const { path, empty } = CALLS[server.kind];
    return judge(await post(server, path, empty), [400], [422]);
  }),
  error("wrong-shape", "inputs of the wrong type are refused with 422", async (server) => {
    const { path } = CALLS[server.kind];
    return judge(await post(server, path, { inputs: { a: 1 }, texts: 3 }), [422], [400]);
  }),
  error("missing-inputs", "a body without its input is refused with 422", async (server) =>
    judge(await post(server, CALLS[server.kind].path, {}), [422], [400]),
  ),
  error("broken-json", "a body that is no JSON is refused with 400", async (server) =>
    judge(await post(server, CALLS[server.kind].path, '{"inputs": "a'), [400], [422]),
  ),
  error("no-content-type", "a body without Content-Type is refused with 415", async (server) => {
    const { path, good } = CALLS[server.kind];
    const answer = await server.send({ method: "POST", path, body: JSON.stringify(good) });
    return answer.status === 200
      ? pass("it is read as JSON, which harms nobody")
      : judge(answer, [415], [400]);
  }),
  error("wrong-verb", "GET of a call is refused with 405", async (server) =>
    judge(await server.send({ method: "GET", path: CALLS[server.kind].path }), [405], [404]),
  ),
  error("deep-json", "JSON nested 10,000 deep is refused", async (server) => {
    const deep = `{"inputs":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    return judge(await post(server, CALLS[server.kind].path, deep), [400, 422], [413]);
  }),
  otherKind("predict", "classifier"),
  otherKind("embed", "embedding"),
  otherKind("rerank", "reranker"),
];

/** One of the statuses; those that servers of this protocol also use pass with a note. */
function judge(answer: RawAnswer, usual: readonly number[], also: readonly number[]): Verdict {
  if (usual.includes(answer.status)) return pass();
  if (also.includes(answer.status)) return pass(`status ${answer.status}`);
  return fail(`a refusal with ${usual.join(" or ")}`, describeAnswer(answer));
}

function error(
  id: string,
  title: string,
  run: (server: TextServer) => Promise<Verdict>,
): ConformanceCase<TextServer> {
  return { id: `errors/${id}`, title, source: SOURCE, level: "required", run };
}

/** A server may have further models for other calls; one that has not says 424. */
function otherKind(call: string, kind: keyof typeof CALLS): ConformanceCase<TextServer> {
  return {
    id: `other-kind/${call}`,
    title: `${call} of a model that is no ${kind} is refused with 424`,
    source: "Text Embeddings Inference: error_type Backend for a wrong kind of model",
    level: "required",
    async run(server) {
      if (server.kind === kind) return pass("the model is of this kind");
      const answer = await post(server, CALLS[kind].path, CALLS[kind].good);
      return answer.status === 200
        ? pass("the server has another model for it")
        : judge(answer, [424], []);
    },
  };
}
