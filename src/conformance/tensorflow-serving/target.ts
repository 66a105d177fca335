import { SluiceError } from "../../core/errors.ts";
import type { Subject } from "../case.ts";
import type { HttpProbe, ProbeAnswer } from "../http-probe.ts";
import { fieldsOf, listOf } from "../judge.ts";

/** What stands for an open size: large enough for models that cut, and small. */
const OPEN_SIZE = 8;

/** An input as the metadata describes it. */
export interface SignatureInput {
  readonly name: string;
  /** E.g. `DT_FLOAT`. */
  readonly dtype: string;
  /** As many as fit; Infinity when the caller chooses. */
  readonly rows: number;
  /** Without the rows; open sizes as `OPEN_SIZE`. */
  readonly rowShape: readonly number[];
}

/** A model that a server has, and rows that fit it. */
export interface TensorFlowTarget extends Subject {
  readonly inputs: readonly [SignatureInput, ...SignatureInput[]];
  /** Rows that one request may have: two, or as many as the model insists on. */
  readonly maxRows: number;
  /** Whether every output is of floats or bytes, none of whole numbers. */
  readonly hasNoWholeOutputs: boolean;
  /** One row: an object of all inputs by name. */
  readonly row: Readonly<Record<string, unknown>>;
  /** `/v1/models/<model>`. */
  readonly modelPath: string;
  /** POSTs to a verb of the model, without a content type, as curl does. */
  ask(verb: string, body: string | object): Promise<ProbeAnswer>;
}

/** @throws SluiceError `not_found` when no model is named, or it has no signature `serving_default` */
export async function findTensorFlowTarget(
  http: HttpProbe,
  {
    model: wanted,
    version,
  }: { readonly model: string | undefined; readonly version: string | undefined },
): Promise<TensorFlowTarget> {
  const model = wanted ?? (await findModel(http));
  const modelPath = `/v1/models/${encodeURIComponent(model)}`;
  const path = version === undefined ? modelPath : `${modelPath}/versions/${version}`;
  const { metadata } = fieldsOf((await http.send({ path: `${path}/metadata` })).json);
  const signatures = fieldsOf(fieldsOf(fieldsOf(metadata)["signature_def"])["signature_def"]);
  const { inputs, outputs } = fieldsOf(signatures["serving_default"]);
  const [first, ...others] = Object.entries(fieldsOf(inputs)).map(toInput);
  if (first === undefined) {
    throw new SluiceError(
      "not_found",
      `The server does not describe inputs of model ${model}; name another with --model.`,
    );
  }
  const row = Object.fromEntries([first, ...others].map((input) => [input.name, toRow(input)]));
  return {
    http,
    model,
    version,
    inputs: [first, ...others],
    maxRows: Math.min(2, ...[first, ...others].map(({ rows }) => rows)),
    hasNoWholeOutputs: Object.values(fieldsOf(outputs)).every((info) =>
      /DT_(FLOAT|DOUBLE|HALF|STRING)/.test(String(fieldsOf(info)["dtype"])),
    ),
    row,
    modelPath: path,
    ask: (verb, body) =>
      http.send({
        method: "POST",
        path: `${path}:${verb}`,
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
}

/** TensorFlow Serving has no list of its models; others that speak its protocol may. */
async function findModel(http: HttpProbe): Promise<string> {
  const { models } = fieldsOf((await http.send({ path: "/v1/models" })).json);
  const [model] = listOf(models);
  if (typeof model === "string") return model;
  throw new SluiceError(
    "not_found",
    "The server has no list of its models; name one with --model.",
  );
}

function toInput([name, info]: readonly [string, unknown]): SignatureInput {
  const { dtype, tensor_shape: shape } = fieldsOf(info);
  const sizes = listOf(fieldsOf(shape)["dim"]).map((dim) => Number(fieldsOf(dim)["size"]));
  const [rows = -1] = sizes;
  return {
    name,
    dtype: String(dtype),
    rows: rows > 0 ? rows : Number.POSITIVE_INFINITY,
    rowShape: sizes.slice(1).map((size) => (size > 0 ? size : OPEN_SIZE)),
  };
}

function toRow({ dtype, rowShape }: SignatureInput): unknown {
  return rowShape.reduceRight<unknown>(
    (inner, size) => Array.from({ length: size }, () => inner),
    sampleOf(dtype),
  );
}

function sampleOf(dtype: string): unknown {
  if (dtype === "DT_STRING") return "The battery lasts all day.";
  if (dtype === "DT_BOOL") return true;
  return /DT_(FLOAT|DOUBLE|HALF)/.test(dtype) ? 0.5 : 1;
}

/** The error's text, where the protocol has it. */
export function errorOf({ json }: ProbeAnswer): unknown {
  return fieldsOf(json)["error"];
}
