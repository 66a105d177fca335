import type { TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { isTensorDatatype } from "../../core/tensors/tensor-data.ts";
import { invalidField } from "../invalid-field.ts";
import { nameOf } from "../native/field-reader.ts";
import { isJsonObject, parseJsonPart } from "./parse-json-part.ts";
import { describeWrongDatatype } from "./raw-tensor.ts";
import { MAX_TENSORS } from "./read-wire-tensors.ts";
import { toRemoteProblem } from "./remote-problem.ts";

const MAX_JSON_DEPTH = 100;

/** What another server says about one of its models. */
export interface ModelMetadata {
  readonly name: string | undefined;
  /** Empty where the server says none. */
  readonly versions: readonly string[];
  readonly platform: string | undefined;
  /** `undefined`: the server does not say, as MLServer for models whose settings name no tensors. */
  readonly signature: TensorSignature | undefined;
  /** Texts about the model by name. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Decodes the answer of `GET /v2/models/<model>` of another server. Sizes below 0 are open; members that are null or
 * unknown are left out.
 *
 * @throws SluiceError `unavailable` when it is no such answer, or has a datatype that is not supported
 */
export function decodeMetadata(body: Uint8Array): ModelMetadata {
  return toRemoteProblem(() => {
    const { fields } = parseJsonPart(body, MAX_JSON_DEPTH);
    const inputs = decodeSpecs(fields["inputs"], "inputs");
    const outputs = decodeSpecs(fields["outputs"], "outputs");
    const isStated = inputs.length > 0 && outputs.length > 0;
    return {
      name: toText(fields["name"]),
      versions: toTexts(fields["versions"]),
      platform: toText(fields["platform"]),
      signature: isStated ? { inputs, outputs } : undefined,
      properties: toProperties(fields["properties"]),
    };
  });
}

function decodeSpecs(value: unknown, list: "inputs" | "outputs"): readonly TensorSpec[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_TENSORS) {
    throw invalidField(list, `must be a list of tensors; found ${nameOf(value)}`);
  }
  return value.map((spec, index) => decodeSpec(spec, `${list}[${index}]`));
}

function decodeSpec(value: unknown, field: string): TensorSpec {
  if (!isJsonObject(value)) throw invalidField(field, `must be an object; found ${nameOf(value)}`);
  const { name, datatype, shape, optional } = value;
  if (typeof name !== "string" || name === "") {
    throw invalidField(`${field}.name`, `must be a name; found ${nameOf(name)}`);
  }
  if (!isTensorDatatype(datatype)) {
    throw invalidField(field, describeWrongDatatype(String(datatype)));
  }
  const spec = { name, datatype, shape: decodeShape(shape, field) };
  return optional === true ? { ...spec, isOptional: true } : spec;
}

/** Gateways that make JSON of Protocol Buffers write sizes as strings. */
function decodeShape(value: unknown, field: string): TensorSpec["shape"] {
  if (value === undefined || value === null) return undefined;
  const sizes = Array.isArray(value) ? value.map(Number) : [Number.NaN];
  if (sizes.every(Number.isSafeInteger)) return sizes.map((size) => (size < 0 ? null : size));
  throw invalidField(`${field}.shape`, "must be a list of whole numbers");
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

function toProperties(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  const texts = Object.entries(value).flatMap(([name, text]) =>
    typeof text === "string" ? [[name, text] as const] : [],
  );
  return Object.fromEntries(texts);
}
