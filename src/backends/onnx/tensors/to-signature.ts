import type { InferenceSession } from "onnxruntime-node";
import { SluiceError } from "../../../core/errors.ts";
import type { TensorDatatype, TensorSignature, TensorSpec } from "../../../core/ports/tensor.ts";

type ValueMetadata = InferenceSession.ValueMetadata;

/** What ONNX Runtime calls the element types that tensors here have. */
const DATATYPES: Readonly<Record<string, TensorDatatype>> = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};

/** ONNX Runtime's name of a datatype. */
export function toOrtType(datatype: TensorDatatype): string {
  const found = Object.entries(DATATYPES).find(([, ours]) => ours === datatype);
  return found?.[0] ?? datatype;
}

/** A graph's signature, and what could not become part of it. */
export interface FoundSignature {
  readonly signature: TensorSignature;
  /** Outputs that are no tensors, as the maps of probabilities that scikit-learn's converter adds. */
  readonly leftOut: readonly string[];
}

/**
 * What goes into a graph and comes out of it, as ONNX Runtime sees it. Pure.
 *
 * Every input is needed. An output that is no tensor of a known datatype is left out; the others can be asked for.
 *
 * @throws SluiceError `invalid_argument` when an input cannot be given, or no output can be answered
 */
export function toSignature(
  inputs: readonly ValueMetadata[],
  outputs: readonly ValueMetadata[],
): FoundSignature {
  if (inputs.length === 0) throw unservable("The graph has no inputs", []);
  const given = inputs.map((value) => toSpec(value) ?? value);
  const odd = inputs.filter((_, index) => given[index] === inputs[index]);
  if (odd.length > 0) throw unservable("An input is no tensor that can be sent", odd);
  const specs = outputs.map(toSpec);
  const known = specs.filter((spec) => spec !== undefined);
  if (known.length === 0) throw unservable("No output is a tensor that can be answered", outputs);
  return {
    signature: { inputs: inputs.map(toSpec).filter((spec) => spec !== undefined), outputs: known },
    leftOut: outputs.filter((_, index) => specs[index] === undefined).map(({ name }) => name),
  };
}

function toSpec(value: ValueMetadata): TensorSpec | undefined {
  if (!value.isTensor) return undefined;
  const datatype = DATATYPES[value.type];
  if (datatype === undefined) return undefined;
  const { name, shape } = value;
  // ONNX Runtime says the same of a single value and of a graph that states no shape; the second is far more usual.
  if (shape.length === 0) return { name, datatype, shape: undefined };
  const sizes = shape.map((size) => (typeof size === "number" && size >= 0 ? size : null));
  return { name, datatype, shape: sizes };
}

function unservable(problem: string, values: readonly ValueMetadata[]): SluiceError {
  const found = values.map(
    (value) => `"${value.name}" ${value.isTensor ? value.type : "(no tensor)"}`,
  );
  const list = found.length === 0 ? "" : `: ${found.join(", ")}`;
  return new SluiceError("invalid_argument", `${problem}${list}.`);
}
