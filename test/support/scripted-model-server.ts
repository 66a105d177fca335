import type { IncomingMessage, ServerResponse } from "node:http";
import type { Tensor, TensorSignature } from "../../src/core/ports/tensor.ts";
import { decodeInfer } from "../../src/protocols/open-inference/decode-infer.ts";
import { encodeInfer } from "../../src/protocols/open-inference/encode-infer.ts";
import type { ScriptedHttpServer } from "./scripted-http-server.ts";
import { startScriptedHttpServer } from "./scripted-http-server.ts";

/** What the server does with questions about its model. */
export type ModelServerBehaviour =
  | "answer"
  /** 503, as while it drains. */
  | "drain"
  /** 500, as when the model breaks. */
  | "break"
  /** Answers after half a second. */
  | "slow"
  /** Never. */
  | "hang"
  /** Answers, and closes the connection without having said so. */
  | "close behind"
  /** Closes the connection in place of an answer. */
  | "reset";

export interface ScriptedModelServer extends ScriptedHttpServer {
  behaviour: ModelServerBehaviour;
  /** Inference requests so far. */
  readonly questions: number;
}

export interface ScriptedModel {
  readonly signature: TensorSignature;
  /** Whether tensors may be binary. */
  readonly readsBinary: boolean;
  readonly answer: (inputs: readonly Tensor[]) => readonly Tensor[];
}

const SLOW_MS = 500;

/** A server that speaks the Open Inference Protocol about one model of any name. */
export async function startScriptedModelServer(
  model: ScriptedModel,
  port = 0,
): Promise<ScriptedModelServer> {
  const state = { behaviour: "answer" as ModelServerBehaviour, questions: 0 };
  const server = await startScriptedHttpServer((request, response, body) => {
    const path = request.url ?? "";
    if (path === "/v2") {
      const extensions = model.readsBinary ? ["binary_tensor_data"] : [];
      sendJson(response, 200, { name: "scripted", version: "1", extensions });
      return;
    }
    const isInference = path.endsWith("/infer");
    if (isInference) state.questions++;
    const answer = isInference
      ? () => infer(model, request, response, body)
      : () => sendJson(response, 200, describe(model.signature));
    if (refuse(state.behaviour, response, answer)) return;
    answer();
    if (state.behaviour !== "close behind") return;
    response.on("finish", () => setImmediate(() => response.socket?.destroy()));
  }, port);
  return Object.defineProperties(server, {
    behaviour: {
      get: () => state.behaviour,
      set: (behaviour: ModelServerBehaviour) => {
        state.behaviour = behaviour;
      },
    },
    questions: { get: () => state.questions },
  }) as ScriptedModelServer;
}

function infer(
  model: ScriptedModel,
  { headers }: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): void {
  const header = headers["inference-header-content-length"];
  const length = Array.isArray(header) ? undefined : header;
  try {
    const { inputs, outputs } = decodeInfer(body, length, model.signature, { maxJsonDepth: 100 });
    const known = model.answer(inputs);
    const wanted = outputs?.map(({ name }) => known.find((output) => output.name === name));
    const found = (wanted ?? known).filter((output) => output !== undefined);
    if (found.length < (wanted ?? known).length) throw new Error("unknown output");
    const answer = { model: "m", version: "1", id: undefined, outputs: found };
    const { chunks, headerLength } = encodeInfer(answer, () => length !== undefined);
    if (headerLength !== undefined) {
      response.setHeader("inference-header-content-length", headerLength);
    }
    response.end(Buffer.concat(chunks));
  } catch (error) {
    const status = error instanceof ModelBroke ? 500 : 400;
    sendJson(response, status, { error: String(error) });
  }
}

/** What a scripted model throws to be answered with 500. */
export class ModelBroke extends Error {}

/** Whether the server does something else than answer now. */
function refuse(
  behaviour: ModelServerBehaviour,
  response: ServerResponse,
  answer: () => void,
): boolean {
  if (behaviour === "drain") sendJson(response, 503, { error: "The server is draining." });
  if (behaviour === "break") sendJson(response, 500, { error: "The model broke." });
  if (behaviour === "slow") setTimeout(answer, SLOW_MS);
  if (behaviour === "reset") response.socket?.destroy();
  return behaviour !== "answer" && behaviour !== "close behind";
}

function describe({ inputs, outputs }: TensorSignature): object {
  const toWire = ({ name, datatype, shape }: TensorSignature["inputs"][number]) => ({
    name,
    datatype,
    shape: (shape ?? []).map((size) => size ?? -1),
  });
  return {
    name: "m",
    versions: ["1"],
    platform: "scripted",
    inputs: inputs.map(toWire),
    outputs: outputs.map(toWire),
  };
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
