import type { IncomingMessage, ServerResponse } from "node:http";

/** Ways in which the scripted server can be wrong. */
export type OpenInferenceFault =
  | "loses ids"
  | "answers with every output"
  | "counts its elements wrong"
  | "fails on broken JSON"
  | "has errors that are objects"
  | "takes any datatype"
  | "has every model"
  | "hangs up on deep JSON"
  | "reads nested data backwards"
  | "lists bytes and refuses them";

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

const TENSOR = { datatype: "FP32", shape: [-1, 2] };

/**
 * A small server of the Open Inference Protocol without extensions. Its model `scale` reads `x`, FP32 [-1, 2], and
 * answers with `twice` and `thrice`.
 */
export function createScriptedOpenInference(fault?: OpenInferenceFault) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (fault === "hangs up on deep JSON" && body.includes("[[[[[[[[[[")) {
        response.destroy();
        return;
      }
      const [status, answer] = answerTo(request, body, fault);
      const isWrong = status !== 200 && fault === "has errors that are objects";
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(isWrong ? { error: { message: "no" } } : answer));
    });
  };
}

function answerTo(
  { method, url = "", headers }: IncomingMessage,
  body: Buffer,
  fault: OpenInferenceFault | undefined,
): [number, object] {
  const extensions = fault === "lists bytes and refuses them" ? ["binary_tensor_data"] : [];
  const path = url.replace(/\/versions\/1(?=\/|$)/, "").replace(/\/$/, "");
  if (method === "POST" && path === "/v2/models/scale/infer") {
    if (headers["inference-header-content-length"] !== undefined) return refusal("no bytes");
    return answerInfer(body, fault);
  }
  if (path === "/v2/models/scale/infer") return [405, { error: "use POST" }];
  if (method !== "GET") return [404, { error: "no such address" }];
  if (path === "/v2/health/live") return [200, { live: true }];
  if (path === "/v2/health/ready") return [200, { ready: true }];
  if (path === "/v2") return [200, { name: "scripted", version: "1", extensions }];
  if (path === "/v2/models/scale/ready") return [200, { name: "scale", ready: true }];
  if (path === "/v2/models/scale" || (fault === "has every model" && /models\/[^/]+$/.test(path))) {
    const inputs = [{ name: "x", ...TENSOR }];
    const outputs = ["twice", "thrice"].map((name) => ({ name, ...TENSOR }));
    return [200, { name: "scale", versions: ["1"], platform: "script", inputs, outputs }];
  }
  return [404, { error: "no such address" }];
}

function refusal(error: string): [number, object] {
  return [400, { error }];
}

function answerInfer(body: Buffer, fault: OpenInferenceFault | undefined): [number, object] {
  let parsed: { inputs?: Tensor[]; outputs?: { name: string }[] | null; id?: string | null };
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return fault === "fails on broken JSON" ? [500, { error: "bug" }] : refusal("broken JSON");
  }
  const [input, ...others] = Array.isArray(parsed.inputs) ? parsed.inputs : [];
  if (input?.name !== "x" || others.length > 0) return refusal("inputs");
  if (input.datatype !== "FP32" && fault !== "takes any datatype") return refusal("datatype");
  const isNested = Array.isArray(input.data?.[0]);
  const flat = readRows(input);
  if (flat === undefined) return refusal("shape or data");
  const wanted = parsed.outputs?.map(({ name }) => name) ?? ["twice", "thrice"];
  if (wanted.some((name) => name !== "twice" && name !== "thrice")) return refusal("outputs");
  const isWrong = isNested && fault === "reads nested data backwards";
  const names = fault === "answers with every output" ? ["twice", "thrice"] : wanted;
  const outputs = names.map((name) => ({
    name,
    datatype: "FP32",
    shape: fault === "counts its elements wrong" ? [flat.length / 2 + 1, 2] : input.shape,
    data: flat.map((value) => (isWrong ? -1 : value) * (name === "twice" ? 2 : 3)),
  }));
  const id = fault === "loses ids" || parsed.id === null ? {} : { id: parsed.id };
  return [200, { model_name: "scale", model_version: "1", ...id, outputs }];
}

/** The elements row by row; undefined when shape and data disagree. */
function readRows({ shape, data }: Tensor): number[] | undefined {
  const [rows = -1, columns, ...rest] = Array.isArray(shape) ? shape : [];
  if (columns !== 2 || rest.length > 0 || !Number.isInteger(rows) || rows < 0) return undefined;
  const list = Array.isArray(data) ? data : [];
  if (list.some((row) => Array.isArray(row) && row.length !== 2)) return undefined;
  const flat = list.flat(1).map(Number);
  return flat.length === rows * 2 ? flat : undefined;
}
