import type { Tensor, TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { malformed } from "./malformed.ts";
import { isBytesObject, readJsonTensor } from "./read-json-tensor.ts";

/** `row`: a list of instances, answered one by one. `column`: whole inputs, answered by whole outputs. */
export type PredictForm = "row" | "column";

/** Body of `:predict`, decoded. */
export interface DecodedPredict {
  readonly form: PredictForm;
  /** That they fit the model is the core's to check. */
  readonly inputs: readonly Tensor[];
  /** How many instances there were; 0 in column form. */
  readonly rows: number;
}

export interface DecodePredictOptions {
  readonly maxDepth: number;
  /** KServe's first protocol: `inputs` is another word for `instances`. */
  readonly inputsAreRows?: boolean;
}

/** The name of a model's only signature. Asking for none means it too. */
export const DEFAULT_SIGNATURE = "serving_default";

/**
 * Decodes a request for a prediction. Inputs that the model can do without may be left out.
 *
 * Source: https://www.tensorflow.org/tfx/serving/api_rest#predict_api
 *
 * @throws SluiceError `invalid_argument` in TensorFlow Serving's words
 */
export function decodePredict(
  body: Uint8Array,
  signature: TensorSignature,
  options: DecodePredictOptions,
): DecodedPredict {
  const { maxDepth } = options;
  const tellsWholeNumbers = signature.inputs.some(({ datatype }) => /INT/.test(datatype));
  const { value, areWholeBigInts } = parseLenientJson(body, { maxDepth, tellsWholeNumbers });
  const read: ReadTensor = (part, spec, field) =>
    readJsonTensor({ value: part, areWholeBigInts }, spec, field);
  const fields = toFields(value);
  assertSignatureName(fields);
  const { instances, inputs } = fields;
  if (instances !== undefined && inputs !== undefined) {
    throw malformed(
      "Request formats row (instances) and columnar (inputs) are mutually exclusive. Send one of the two.",
    );
  }
  if (instances !== undefined)
    return decodeRows(instances, signature, { field: "instances", read });
  if (inputs === undefined) throw malformed("Missing 'inputs' or 'instances' key");
  if (options.inputsAreRows === true)
    return decodeRows(inputs, signature, { field: "inputs", read });
  return { form: "column", inputs: decodeColumns(inputs, signature, read), rows: 0 };
}

/** Reads a part of the body as an input. */
type ReadTensor = (value: unknown, spec: TensorSpec, field: string) => Tensor;

interface RowOptions {
  readonly field: "instances" | "inputs";
  readonly read: ReadTensor;
}

type Fields = Readonly<Record<string, unknown>>;

/** The members of a body. @throws SluiceError `invalid_argument` when it is no object */
export function toFields(value: unknown): Fields {
  if (isObject(value)) return value;
  throw malformed("Malformed request: the body must be a JSON object");
}

/** @throws SluiceError `invalid_argument` when a signature is asked for that no model here has */
export function assertSignatureName({ signature_name: name = "" }: Fields): void {
  if (typeof name !== "string")
    throw malformed("'signature_name' key must be a string value.", "signature_name");
  if (name === "" || name === DEFAULT_SIGNATURE) return;
  const shown = name.slice(0, 64);
  throw malformed(
    `Serving signature name: "${shown}" not found in signature def`,
    "signature_name",
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isNeeded = ({ isOptional }: TensorSpec) => isOptional !== true;

function decodeRows(
  instances: unknown,
  signature: TensorSignature,
  { field, read }: RowOptions,
): DecodedPredict {
  if (!Array.isArray(instances) || instances.length === 0) {
    throw malformed(`Invalid value for '${field}': it must be a list that is not empty`, field);
  }
  const isNamed = (instance: unknown) => isObject(instance) && !isBytesObject(instance);
  const named = instances.filter(isNamed).length;
  const rows = instances.length;
  if (named > 0 && named < rows) {
    throw malformed(
      `Expecting all elements of '${field}' list to be of one kind: objects, or values`,
      field,
    );
  }
  if (named === rows) {
    return { form: "row", inputs: decodeNamedRows(instances, signature, { field, read }), rows };
  }
  const needed = signature.inputs.filter(isNeeded);
  const [only] = needed;
  if (only === undefined || needed.length > 1) {
    const names = needed.map(({ name }) => name).join(", ");
    throw malformed(
      `instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map: ${names}`,
      field,
    );
  }
  return { form: "row", inputs: [read(instances, only, field)], rows };
}

function decodeNamedRows(
  instances: readonly unknown[],
  { inputs }: TensorSignature,
  { field, read }: RowOptions,
): readonly Tensor[] {
  const [first] = instances;
  const given = inputs.filter(({ name }) => isObject(first) && Object.hasOwn(first, name));
  const missing = inputs.find((spec) => isNeeded(spec) && !given.includes(spec));
  if (missing !== undefined) {
    throw malformed(
      `Failed to process element: 0 of '${field}' list. Missing input: ${missing.name}`,
      `${field}[0]`,
    );
  }
  for (const [index, instance] of instances.entries()) {
    const names = Object.keys(toFields(instance));
    const isSame = names.length === given.length && given.every(({ name }) => names.includes(name));
    if (isSame) continue;
    const expected = given.map(({ name }) => name).join(", ");
    throw malformed(
      `Failed to process element: ${index} of '${field}' list. Its keys must be exactly: ${expected}`,
      `${field}[${index}]`,
    );
  }
  return given.map((spec) => {
    const values = instances.map((instance) => toFields(instance)[spec.name]);
    return read(values, spec, `${field}[*].${spec.name}`);
  });
}

function decodeColumns(
  value: unknown,
  { inputs }: TensorSignature,
  read: ReadTensor,
): readonly Tensor[] {
  const needed = inputs.filter(isNeeded);
  const [only] = needed;
  const isNamed = isObject(value) && !isBytesObject(value);
  if (!isNamed) {
    if (only !== undefined && needed.length === 1) return [read(value, only, "inputs")];
    const names = needed.map(({ name }) => name).join(", ");
    throw malformed(
      `inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map: ${names}`,
      "inputs",
    );
  }
  const missing = needed.find(({ name }) => !Object.hasOwn(value, name));
  if (missing !== undefined)
    throw malformed(
      `Missing named input: ${missing.name} in 'inputs' object.`,
      `inputs.${missing.name}`,
    );
  return inputs
    .filter(({ name }) => Object.hasOwn(value, name))
    .map((spec) => read(value[spec.name], spec, `inputs.${spec.name}`));
}
