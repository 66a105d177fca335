import type { IncomingMessage, ServerResponse } from "node:http";

/** Ways in which the scripted server can be wrong. */
export type TextServerFault =
  | "sorts labels worst first"
  | "reads a pair as a batch"
  | "takes three plain texts"
  | "leaves out error_type"
  | "forgets a label"
  | "ignores raw_scores"
  | "answers other kinds with 500"
  | "writes times with fractions";

const NAMES = ["no", "yes"] as const;

/** A small server of Text Embeddings Inference with a classifier that knows `yes` and `no`. */
export function createScriptedTextServer(fault?: TextServerFault) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [status, answer] = answerTo(request, Buffer.concat(chunks).toString("utf8"), fault);
      response.writeHead(status, { "Content-Type": "application/json", ...toHeaders(fault) });
      response.end(JSON.stringify(answer));
    });
  };
}

function toHeaders(fault: TextServerFault | undefined): Record<string, string> {
  const time = fault === "writes times with fractions" ? "1.5" : "1";
  const names = ["total", "tokenization", "queue", "inference", "compute"];
  return {
    "x-compute-type": "cpu",
    "x-compute-characters": "26",
    "x-compute-tokens": "8",
    ...Object.fromEntries(names.map((name) => [`x-${name}-time`, time])),
  };
}

function answerTo(
  { method, url = "", headers }: IncomingMessage,
  body: string,
  fault: TextServerFault | undefined,
): [number, unknown] {
  const fail: Fail = (status, type) =>
    fault === "leaves out error_type"
      ? [status, { error: "no" }]
      : [status, { error: "no", error_type: type }];
  if (method === "GET" && url === "/health") return [200, {}];
  if (method === "GET" && url === "/info") return [200, INFO];
  if (url === "/embed" || url === "/rerank") {
    return fail(fault === "answers other kinds with 500" ? 500 : 424, "Backend");
  }
  if (url !== "/predict" && url !== "/") return fail(404, "Validation");
  if (method !== "POST") return fail(405, "Validation");
  if (headers["content-type"] !== "application/json") return fail(415, "Validation");
  return answerPredict(body, fail, fault);
}

type Fail = (status: number, type: string) => [number, unknown];

function answerPredict(
  body: string,
  fail: Fail,
  fault: TextServerFault | undefined,
): [number, unknown] {
  let parsed: { inputs?: unknown; raw_scores?: boolean };
  try {
    parsed = JSON.parse(body);
  } catch {
    return fail(400, "Validation");
  }
  const { inputs } = parsed;
  const isRaw = parsed.raw_scores === true && fault !== "ignores raw_scores";
  const labels = toLabels(isRaw, fault);
  if (inputs === "") return fail(400, "Empty");
  if (typeof inputs === "string") return [200, labels];
  if (!Array.isArray(inputs) || inputs.length === 0) return fail(422, "Validation");
  if (inputs.every((one) => typeof one === "string")) {
    if (inputs.length > 2 && fault !== "takes three plain texts") return fail(422, "Validation");
    const isBatch = inputs.length === 2 && fault === "reads a pair as a batch";
    return [200, isBatch ? inputs.map(() => labels) : labels];
  }
  const isBatch = inputs.every(
    (one) => Array.isArray(one) && one.length > 0 && one.every((text) => typeof text === "string"),
  );
  return isBatch ? [200, inputs.map(() => labels)] : fail(422, "Validation");
}

function toLabels(isRaw: boolean, fault: TextServerFault | undefined): object[] {
  const scores = isRaw ? [-1.5, 2.5] : [0.02, 0.98];
  const labels = NAMES.map((label, place) => ({ label, score: scores[place] }));
  if (fault === "forgets a label") return labels.slice(1);
  return fault === "sorts labels worst first" ? labels : labels.reverse();
}

const INFO = {
  model_id: "script",
  model_dtype: "float32",
  model_type: { classifier: { id2label: { 0: "no", 1: "yes" }, label2id: { no: 0, yes: 1 } } },
  max_concurrent_requests: 8,
  max_input_length: 128,
  max_client_batch_size: 8,
  version: "1.0.0",
};
