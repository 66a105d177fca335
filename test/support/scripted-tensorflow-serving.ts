import type { IncomingMessage, ServerResponse } from "node:http";

/** Ways in which the scripted server can be wrong. */
export type TensorFlowFault =
  | "writes floats as whole numbers"
  | "writes versions as numbers"
  | "answers unknown addresses with 404"
  | "takes both instances and inputs"
  | "refuses b64"
  | "writes result instead of results"
  | "wants a content type";

/** A small server of TensorFlow Serving. Its model `length` reads texts and answers with their lengths as floats. */
export function createScriptedTensorFlow(fault?: TensorFlowFault) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [status, text] = answerTo(request, Buffer.concat(chunks).toString("utf8"), fault);
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(text);
    });
  };
}

type Answer = readonly [number, string];

function refuse(status: number, error: string): Answer {
  return [status, JSON.stringify({ error })];
}

function answerTo(
  { method, url = "", headers }: IncomingMessage,
  body: string,
  fault: TensorFlowFault | undefined,
): Answer {
  const path = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(.*)$/.exec(url);
  const [, model, version = "1", label, action] = path ?? [];
  const isCall = [":predict", ":classify"].includes(action ?? "");
  const isKnown = method === "POST" ? isCall : action === "" || action === "/metadata";
  if (url === "/v1/models") return refuse(400, "Missing model name in request.");
  if (path === null || !isKnown) {
    const status = fault === "answers unknown addresses with 404" ? 404 : 400;
    return refuse(status, `Malformed request: ${method} ${url}`);
  }
  if (version.length > 19) return refuse(400, "Failed to convert version");
  if (label !== undefined) return refuse(400, "Unrecognized servable version label");
  if (model !== "length" || version !== "1") return refuse(404, "Servable not found");
  if (action === "") return [200, JSON.stringify(toStatus(fault))];
  if (action === "/metadata") return [200, JSON.stringify(METADATA)];
  if (fault === "wants a content type" && headers["content-type"] === undefined) {
    return refuse(415, "no content type");
  }
  return answerCall(action ?? "", body, fault);
}

interface Question {
  readonly signature_name?: unknown;
  readonly instances?: unknown;
  readonly inputs?: unknown;
  readonly examples?: readonly { readonly text: string }[];
}

function answerCall(action: string, body: string, fault: TensorFlowFault | undefined): Answer {
  let question: Question;
  try {
    question = JSON.parse(body);
  } catch {
    return refuse(400, "JSON Parse error");
  }
  const { signature_name: signature = "serving_default", instances, inputs, examples } = question;
  if (signature !== "serving_default") return refuse(400, "signature_name");
  if (action === ":classify") {
    const rows = (examples ?? []).map(({ text }) => [["length", text.length]]);
    const key = fault === "writes result instead of results" ? "result" : "results";
    return [200, JSON.stringify({ [key]: rows })];
  }
  const isBoth = instances !== undefined && inputs !== undefined;
  if (isBoth && fault !== "takes both instances and inputs") return refuse(400, "both");
  const texts = inputs === undefined ? readRows(instances, fault) : readColumns(inputs);
  if (texts === undefined) return refuse(400, "instances or inputs");
  const point = fault === "writes floats as whole numbers" ? "" : ".0";
  const list = texts.map((text) => `${text.length}${point}`).join(", ");
  return [200, `{"${inputs === undefined ? "predictions" : "outputs"}": [${list}]}`];
}

function readRows(instances: unknown, fault: TensorFlowFault | undefined): string[] | undefined {
  if (!Array.isArray(instances) || instances.length === 0) return undefined;
  const isNamed = instances.map((row) => typeof row === "object");
  if (isNamed.some((one) => one !== isNamed[0])) return undefined;
  const isOther = (row: object) => Object.keys(row).join() !== "text";
  if (isNamed[0] === true && instances.some(isOther)) return undefined;
  const texts = instances.map((row) => readText(isNamed[0] === true ? row.text : row, fault));
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function readText(value: unknown, fault: TensorFlowFault | undefined): string | undefined {
  if (typeof value === "string") return value;
  const isBytes = typeof value === "object" && value !== null && "b64" in value;
  if (!isBytes || fault === "refuses b64") return undefined;
  return Buffer.from(String(value.b64), "base64").toString("utf8");
}

function readColumns(inputs: unknown): string[] | undefined {
  const isNamed = typeof inputs === "object" && inputs !== null && "text" in inputs;
  const column = isNamed ? inputs.text : inputs;
  return Array.isArray(column) ? column.map(String) : undefined;
}

function toStatus(fault: TensorFlowFault | undefined): object {
  const version = fault === "writes versions as numbers" ? 1 : "1";
  const status = { error_code: "OK", error_message: "" };
  return { model_version_status: [{ version, state: "AVAILABLE", status }] };
}

const SHAPE = { dim: [{ size: "-1", name: "" }], unknown_rank: false };

const METADATA = {
  model_spec: { name: "length", signature_name: "", version: "1" },
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: { text: { dtype: "DT_STRING", tensor_shape: SHAPE, name: "text:0" } },
          outputs: { length: { dtype: "DT_FLOAT", tensor_shape: SHAPE, name: "length:0" } },
          method_name: "tensorflow/serving/predict",
          defaults: {},
        },
      },
    },
  },
};
