import type { Tensor, TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { describeShape } from "../../core/tensors/check-request.ts";
import { toHalfBits } from "../../core/tensors/half-float.ts";
import { countElements, createTensorData } from "../../core/tensors/tensor-data.ts";
import { invalidField, toInputField } from "../invalid-field.ts";

/** The values of one feature, all of one kind. */
export type FeatureValues =
  | { readonly kind: "bytes"; readonly values: readonly (string | Uint8Array)[] }
  | { readonly kind: "float"; readonly values: readonly number[] }
  | { readonly kind: "int64"; readonly values: readonly bigint[] };

type FeatureValue = FeatureValues["values"][number];

/** One row of data, by the names of its features. */
export type Example = ReadonlyMap<string, FeatureValues>;

/** Rows, and what all of them share. */
export interface Examples {
  readonly examples: readonly Example[];
  /** Used where an example does not have a feature itself. */
  readonly context: Example | undefined;
}

/** What shared features may take in memory, repeated for every row: a few bytes could ask for gigabytes. */
const MAX_SHARED_BYTES = 16 * 1024 * 1024;
const BYTES_PER_VALUE = 8;

/**
 * Makes a tensor of each input out of the features of the same name, one row per example. Where a model needs one input
 * and every example has one feature, that feature is it, whatever its name.
 *
 * The inputs of `signature` must have rows as their first dimension; the others say how many values a feature has.
 *
 * @throws SluiceError `invalid_argument`, naming the input
 */
export function toExampleTensors(
  { examples, context }: Examples,
  signature: TensorSignature,
): readonly Tensor[] {
  if (examples.length === 0) throw invalidField("input", "has no examples; send at least one");
  const needed = signature.inputs.filter(({ isOptional }) => isOptional !== true);
  const allowance = { bytes: MAX_SHARED_BYTES };
  return signature.inputs.flatMap((spec) => {
    const isOnly = needed.length === 1 && needed[0] === spec;
    const rows = examples.map((example) => findFeature(example, context, spec.name, isOnly));
    // Left out of all examples, which is different from being left out of some.
    if (spec.isOptional === true && rows.every((row) => row === undefined)) return [];
    return [toTensor(spec, rows, allowance)];
  });
}

interface Row {
  readonly feature: FeatureValues;
  readonly isShared: boolean;
}

function findFeature(
  example: Example,
  context: Example | undefined,
  name: string,
  isOnly: boolean,
): Row | undefined {
  const own = example.get(name);
  if (own !== undefined) return { feature: own, isShared: false };
  const shared = context?.get(name);
  if (shared !== undefined) return { feature: shared, isShared: true };
  const [first] = example.values();
  const isSingle = isOnly && example.size === 1 && first !== undefined;
  return isSingle ? { feature: first, isShared: false } : undefined;
}

function toTensor(
  spec: TensorSpec,
  rows: readonly (Row | undefined)[],
  allowance: { bytes: number },
): Tensor {
  const { name, datatype } = spec;
  const perRow = rows[0]?.feature.values.length ?? 0;
  const values = collectValues(spec, rows, allowance);
  const shape = toShape(spec, rows.length, perRow);
  if (shape === undefined) {
    const problem = `has ${perRow} values per example, which do not fit its shape ${describeShape(spec.shape)}`;
    throw invalidField(toInputField(name), problem);
  }
  if (datatype === "BYTES") {
    return { name, datatype, shape, data: values as (string | Uint8Array)[] };
  }
  const data = createTensorData(datatype, values.length);
  for (const [index, value] of values.entries()) {
    const element = toElement(value as number | bigint, datatype);
    data[index] = element as never;
    // A whole number that does not fit comes out changed. Floats are rounded, as everywhere.
    const isChanged = !datatype.startsWith("FP") && data[index] !== element;
    if (isChanged || (datatype === "BOOL" && Number(element) > 1)) {
      throw invalidField(toInputField(name), `has a value that is no ${datatype}: number ${index}`);
    }
  }
  return { name, datatype, shape, data } as Tensor;
}

function collectValues(
  { name, datatype }: TensorSpec,
  rows: readonly (Row | undefined)[],
  allowance: { bytes: number },
): readonly FeatureValue[] {
  const perRow = rows[0]?.feature.values.length ?? 0;
  const values: FeatureValue[] = [];
  for (const [index, row] of rows.entries()) {
    const problem = findRowProblem(row, index, perRow, datatype);
    if (problem !== undefined) throw invalidField(toInputField(name), problem);
    if (row === undefined) continue;
    if (row.isShared) allowance.bytes -= perRow * BYTES_PER_VALUE;
    if (allowance.bytes < 0) {
      throw invalidField(toInputField(name), "is too large to be shared by so many examples");
    }
    for (const value of row.feature.values) values.push(value);
  }
  return values;
}

function findRowProblem(
  row: Row | undefined,
  index: number,
  perRow: number,
  datatype: Tensor["datatype"],
): string | undefined {
  if (row === undefined) return `is no feature of example ${index}`;
  const { kind, values } = row.feature;
  if (values.length !== perRow) {
    return `has ${values.length} values in example ${index} and ${perRow} in the first; all need as many`;
  }
  if (isKindFor(kind, datatype)) return undefined;
  return `is ${datatype}, which is not made of a ${kind} list; found one in example ${index}`;
}

function isKindFor(kind: FeatureValues["kind"], datatype: Tensor["datatype"]): boolean {
  if (datatype === "BYTES") return kind === "bytes";
  // Whole numbers are floats too; the other way round, digits would be lost.
  return kind === "int64" || (kind === "float" && datatype.startsWith("FP"));
}

function toElement(value: number | bigint, datatype: Tensor["datatype"]): number | bigint {
  if (datatype === "INT64" || datatype === "UINT64") return BigInt(value);
  return datatype === "FP16" ? toHalfBits(Number(value)) : Number(value);
}

/** Rows first, then as the model says; undefined when a row has not as many values. */
function toShape(
  { shape }: TensorSpec,
  rows: number,
  perRow: number,
): readonly number[] | undefined {
  if (shape === undefined) return perRow === 1 ? [rows] : [rows, perRow];
  const inner = shape.slice(1);
  const open = inner.filter((size) => size === null).length;
  const known = countElements(inner.filter((size) => size !== null)) ?? 0;
  if (open > 1 || shape.length === 0) return undefined;
  const rest = open === 0 ? 1 : perRow / known;
  if (!Number.isInteger(rest) || known * rest !== perRow) return undefined;
  return [rows, ...inner.map((size) => size ?? rest)];
}
