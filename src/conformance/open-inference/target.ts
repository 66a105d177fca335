import { SluiceError } from "../../core/errors.ts";
import type { Subject } from "../case.ts";
import type { HttpProbe, ProbeAnswer } from "../http-probe.ts";
import { fieldsOf, listOf } from "../judge.ts";

/** An input or output as the server describes it. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** A tensor in the JSON of the protocol. */
export interface JsonTensor extends TensorInfo {
  readonly data: readonly unknown[];
}

/** A model that a server has, and inputs that fit it. */
export interface OpenInferenceTarget extends Subject {
  readonly extensions: readonly string[];
  readonly outputs: readonly TensorInfo[];
  /** One per input that is needed, with any data that fits its description. */
  readonly inputs: readonly [JsonTensor, ...JsonTensor[]];
  /** `/v2/models/<model>`, with the version where one was named. */
  readonly modelPath: string;
  /** POSTs to `/infer`. */
  infer(
    body: string | Uint8Array | object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ProbeAnswer>;
}

export interface FindTargetOptions {
  readonly model: string | undefined;
  readonly version: string | undefined;
}

/**
 * Finds a model to try, and makes inputs for it.
 *
 * @throws SluiceError `not_found` when none is named and the server has no index, or it describes no inputs
 */
export async function findOpenInferenceTarget(
  http: HttpProbe,
  { model: wanted, version }: FindTargetOptions,
): Promise<OpenInferenceTarget> {
  const model = wanted ?? (await findModel(http));
  const versionPath = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  const modelPath = `/v2/models/${encodeURIComponent(model)}${versionPath}`;
  const described = fieldsOf((await http.send({ path: modelPath })).json);
  const needed = listOf(described["inputs"]).filter(
    (input) => fieldsOf(input)["optional"] !== true,
  );
  const [first, ...others] = needed.map(toTensorInfo).map(toSample);
  if (first === undefined) {
    throw new SluiceError(
      "not_found",
      `The server does not describe inputs of model ${model}; name another with --model.`,
    );
  }
  const server = fieldsOf((await http.send({ path: "/v2" })).json);
  return {
    http,
    model,
    version,
    extensions: listOf(server["extensions"]).map(String),
    outputs: listOf(described["outputs"]).map(toTensorInfo),
    inputs: [first, ...others],
    modelPath,
    infer: (body, headers = {}) => {
      const isJson = typeof body !== "string" && !(body instanceof Uint8Array);
      return http.send({
        method: "POST",
        path: `${modelPath}/infer`,
        headers: { "content-type": "application/json", ...headers },
        body: isJson ? JSON.stringify(body) : body,
      });
    },
  };
}

async function findModel(http: HttpProbe): Promise<string> {
  const index = await http.send({ method: "POST", path: "/v2/repository/index", body: "{}" });
  const ready = listOf(index.json)
    .map(fieldsOf)
    .find(({ state }) => state === "READY" || state === undefined);
  if (typeof ready?.["name"] === "string") return ready["name"];
  throw new SluiceError(
    "not_found",
    "The server has no index of its models; name one with --model.",
  );
}

function toTensorInfo(value: unknown): TensorInfo {
  const { name, datatype, shape } = fieldsOf(value);
  return { name: String(name), datatype: String(datatype), shape: listOf(shape).map(Number) };
}

/** What stands for an open size that is not the rows': large enough for models that cut, and small. */
const OPEN_SIZE = 8;

/** Data that fits: one row of whatever is open. */
function toSample({ name, datatype, shape }: TensorInfo): JsonTensor {
  const sizes = shape.map((size, axis) => (size > 0 ? size : axis === 0 ? 1 : OPEN_SIZE));
  const elements = sizes.reduce((product, size) => product * size, 1);
  const data = Array.from({ length: elements }, () => sampleOf(datatype));
  return { name, datatype, shape: sizes, data };
}

function sampleOf(datatype: string): unknown {
  if (datatype === "BYTES") return "The battery lasts all day.";
  if (datatype === "BOOL") return true;
  return datatype.startsWith("FP") ? 0.5 : 1;
}

/** The error's text, where the protocol has it. */
export function errorOf({ json }: ProbeAnswer): unknown {
  return fieldsOf(json)["error"];
}
