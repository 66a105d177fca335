import { SluiceError } from "../../core/errors.ts";
import type { JsonObject } from "../judge.ts";
import { describeAnswer, isObject, readObject } from "../judge.ts";
import type { RawAnswer, Send } from "../raw-http.ts";

/** An input or output of a signature. */
export interface SignatureTensor {
  readonly name: string;
  /** As in metadata: `DT_STRING`, `DT_FLOAT`. */
  readonly dtype: string;
  /** -1 is any size; undefined where the rank is not known. */
  readonly shape: readonly number[] | undefined;
}

/** A TensorFlow Serving server, and the model that is asked. */
export interface TensorFlowServer {
  readonly send: Send;
  readonly model: string;
  /** `/v1/models/<model>`, with the version where one was asked for. */
  readonly modelPath: string;
  /** The version that the metadata is about. */
  readonly version: string;
  readonly metadata: JsonObject;
  /** Of the signature that is asked when none is named. */
  readonly inputs: readonly SignatureTensor[];
  readonly outputs: readonly SignatureTensor[];
}

/** More elements than this in one row make it a test of patience. */
const MAX_ELEMENTS = 1_000_000;

/**
 * Looks up the model. Throws `invalid_argument` without a name, because no call of the protocol lists models;
 * `not_found` or `unavailable` without metadata; `too_large` when its inputs are too big to make up.
 */
export async function findTensorFlowServer(
  send: Send,
  model: string | undefined,
  modelVersion: string | undefined,
): Promise<TensorFlowServer> {
  if (model === undefined) {
    throw new SluiceError(
      "invalid_argument",
      "This protocol has no call that lists models; name one with --model.",
    );
  }
  const version = modelVersion === undefined ? "" : `/versions/${modelVersion}`;
  const modelPath = `/v1/models/${encodeURIComponent(model)}${version}`;
  const answer = await send({ method: "GET", path: `${modelPath}/metadata` });
  const metadata = answer.status === 200 ? readObject(answer) : undefined;
  const signature = metadata && readSignature(metadata);
  if (metadata === undefined || signature === undefined) {
    throw new SluiceError(
      answer.status === 404 ? "not_found" : "unavailable",
      `GET ${modelPath}/metadata gave no signature: ${describeAnswer(answer)}`,
    );
  }
  const inputs = readTensors(signature["inputs"]);
  if (inputs.some(({ shape }) => countRowElements(shape) > MAX_ELEMENTS)) {
    throw new SluiceError("too_large", "The model's inputs are too big to be made up.");
  }
  const spec = metadata["model_spec"];
  return {
    send,
    model,
    modelPath,
    version: isObject(spec) ? String(spec["version"]) : "",
    metadata,
    inputs,
    outputs: readTensors(signature["outputs"]),
  };
}

/** Of one row; sizes that are open count as 1. */
function countRowElements(shape: readonly number[] = []): number {
  return shape.slice(1).reduce((count, size) => count * Math.max(1, size), 1);
}

/** The map of signatures, below the doubled name; undefined where it is not. */
export function readSignatures(metadata: JsonObject): JsonObject | undefined {
  const outer = metadata["metadata"];
  const middle = isObject(outer) ? outer["signature_def"] : undefined;
  const inner = isObject(middle) ? middle["signature_def"] : undefined;
  return isObject(inner) ? inner : undefined;
}

function readSignature(metadata: JsonObject): JsonObject | undefined {
  const signatures = readSignatures(metadata) ?? {};
  const signature = signatures["serving_default"] ?? Object.values(signatures)[0];
  return isObject(signature) ? signature : undefined;
}

function readTensors(map: unknown): SignatureTensor[] {
  return Object.entries(isObject(map) ? map : {}).flatMap(([name, tensor]) =>
    isObject(tensor)
      ? [{ name, dtype: String(tensor["dtype"]), shape: readShape(tensor["tensor_shape"]) }]
      : [],
  );
}

function readShape(shape: unknown): number[] | undefined {
  if (!isObject(shape) || shape["unknown_rank"] === true) return undefined;
  const dim = shape["dim"] ?? [];
  return Array.isArray(dim) ? dim.filter(isObject).map(({ size }) => Number(size)) : undefined;
}

const SENTENCES = ["The battery lasts all day.", "What a bore, I left early."] as const;

/** One row of an input: the value without its first dimension. Sizes that are open become 1. */
export function makeRow({ dtype, shape }: SignatureTensor, row: number): unknown {
  return nest(dtype, (shape ?? [-1]).slice(1), row);
}

function nest(dtype: string, shape: readonly number[], row: number): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return makeElement(dtype, row);
  return Array.from({ length: Math.max(1, size) }, () => nest(dtype, rest, row));
}

function makeElement(dtype: string, row: number): unknown {
  if (dtype === "DT_STRING") return SENTENCES[row % SENTENCES.length];
  if (dtype === "DT_BOOL") return true;
  // A whole number is fine where a float is expected.
  return 1;
}

/** Rows by name, as `instances` of a model with any number of inputs. */
export function makeInstances(server: TensorFlowServer, rows: number): JsonObject[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(server.inputs.map((input) => [input.name, makeRow(input, row)])),
  );
}

/** Columns by name, as `inputs`. */
export function makeColumns(server: TensorFlowServer, rows: number): JsonObject {
  return Object.fromEntries(
    server.inputs.map((input) => [
      input.name,
      Array.from({ length: rows }, (_, row) => makeRow(input, row)),
    ]),
  );
}

/** Calls the model; a text goes out as it is. No content type: none is needed. */
export function call(
  server: TensorFlowServer,
  method: "predict" | "classify" | "regress",
  body: unknown,
): Promise<RawAnswer> {
  return server.send({
    method: "POST",
    path: `${server.modelPath}:${method}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}
