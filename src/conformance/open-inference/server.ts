import { SluiceError } from "../../core/errors.ts";
import { describeAnswer, isObject, readJson, readObject } from "../judge.ts";
import type { RawAnswer, Send } from "../raw-http.ts";
import type { SampleTensor, TensorDescription } from "./sample-inputs.ts";
import { countElements, makeSample } from "./sample-inputs.ts";

/** A server of the Open Inference Protocol, and the model that is asked. */
export interface OpenInferenceServer {
  readonly send: Send;
  readonly model: string;
  /** As it was asked for; undefined leaves the choice to the server. */
  readonly modelVersion: string | undefined;
  /** `/v2/models/<model>`, with the version where one was asked for. */
  readonly modelPath: string;
  /** Versions that the metadata lists. */
  readonly versions: readonly string[];
  /** Without those that the configuration calls optional. */
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** What the server's metadata says that it has beyond the protocol. */
  readonly extensions: ReadonlySet<string>;
  /** Whether cases may load and unload models. */
  readonly allowsChanges: boolean;
}

/** More elements than this in one sample make it a test of patience. */
const MAX_ELEMENTS = 4_000_000;

/**
 * Looks up what the cases need to know. Throws `not_found` when there is no model, `unavailable` when the server does
 * not describe it, `too_large` when its inputs are too big to make up.
 */
export async function findOpenInferenceServer(
  send: Send,
  model: string | undefined,
  modelVersion: string | undefined,
  allowsChanges = false,
): Promise<OpenInferenceServer> {
  const metadata = readObject(await send({ method: "GET", path: "/v2" }));
  const name = model ?? (await findModel(send));
  const version = modelVersion === undefined ? "" : `/versions/${encodeURIComponent(modelVersion)}`;
  const modelPath = `/v2/models/${encodeURIComponent(name)}${version}`;
  const answer = await send({ method: "GET", path: modelPath });
  const described = readObject(answer);
  const optional = await findOptionalInputs(send, modelPath);
  const inputs = readDescriptions(described?.["inputs"]);
  const outputs = readDescriptions(described?.["outputs"]);
  if (answer.status !== 200 || inputs === undefined || outputs === undefined) {
    throw new SluiceError(
      answer.status === 404 ? "not_found" : "unavailable",
      `GET ${modelPath} gave no metadata: ${describeAnswer(answer)}`,
    );
  }
  if (inputs.some(({ shape }) => countElements(shape.map(Math.abs)) > MAX_ELEMENTS)) {
    throw new SluiceError("too_large", "The model's inputs are too big to be made up.");
  }
  return {
    send,
    model: name,
    modelVersion,
    modelPath,
    versions: readTexts(described?.["versions"]),
    inputs: inputs.filter((input) => !optional.has(input.name)),
    outputs,
    extensions: new Set(readTexts(metadata?.["extensions"])),
    allowsChanges,
  };
}

/** Only the configuration of Triton's extension tells which inputs may be left out. */
async function findOptionalInputs(send: Send, modelPath: string): Promise<ReadonlySet<string>> {
  const answer = await send({ method: "GET", path: `${modelPath}/config` });
  const inputs = answer.status === 200 ? readObject(answer)?.["input"] : undefined;
  const optional = Array.isArray(inputs)
    ? inputs.filter((input) => isObject(input) && input["optional"] === true)
    : [];
  return new Set(optional.map(({ name }) => String(name)));
}

/** The first model of the repository's index that is ready, or of KServe's list of models. */
async function findModel(send: Send): Promise<string> {
  const answer = await send({
    method: "POST",
    path: "/v2/repository/index",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  const index = readJson(answer);
  const rows = Array.isArray(index) ? index.filter(isObject) : [];
  const found = rows.find(({ state }) => state === undefined || state === "READY");
  const name = found?.["name"] ?? (await findListedModel(send));
  if (typeof name !== "string") {
    throw new SluiceError(
      "not_found",
      `The server's index names no model that is ready (${describeAnswer(answer)}); name one with --model.`,
    );
  }
  return name;
}

/** `GET /v2/models` is KServe's own: `{"models": ["a"]}`, in some versions with objects that have a name. */
async function findListedModel(send: Send): Promise<unknown> {
  const answer = await send({ method: "GET", path: "/v2/models" });
  const models = answer.status === 200 ? readObject(answer)?.["models"] : undefined;
  const first: unknown = Array.isArray(models) ? models[0] : undefined;
  return isObject(first) ? first["name"] : first;
}

function readTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function readDescriptions(value: unknown): TensorDescription[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const descriptions = value
    .filter(isObject)
    .flatMap(({ name, datatype, shape }) =>
      typeof name === "string" && typeof datatype === "string" && isShape(shape)
        ? [{ name, datatype, shape }]
        : [],
    );
  return descriptions.length === value.length ? descriptions : undefined;
}

/** Whether this is a shape; -1 is any size. */
export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isInteger(size) && size >= -1);
}

/** Inputs that the model should take. */
export function makeSamples(server: OpenInferenceServer, rows = 2): SampleTensor[] {
  return server.inputs.map((input) => makeSample(input, rows));
}

/** An infer request as an object to be turned into JSON; `more` adds or replaces members. */
export function toInferRequest(
  samples: readonly SampleTensor[],
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    inputs: samples.map(({ name, shape, datatype, data }) => ({ name, shape, datatype, data })),
    ...more,
  };
}

/** Asks the model; a text goes out as it is. */
export function infer(
  server: OpenInferenceServer,
  request: string | Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  return server.send({
    method: "POST",
    path: `${server.modelPath}/infer`,
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof request === "string" ? request : JSON.stringify(request),
  });
}
