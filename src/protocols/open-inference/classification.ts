import type { Tensor, TensorOf } from "../../core/ports/tensor.ts";
import { fromHalfBits } from "../../core/tensors/half-float.ts";
import { invalidField } from "../invalid-field.ts";

/** How a tensor of scores is made into classes. */
export interface ClassOptions {
  /** At most this many per row, 1 or more. */
  readonly count: number;
  /** By index; classes without one are told by their index alone. */
  readonly labels: readonly string[] | undefined;
  /** Whether the first size counts rows; without it, the whole tensor is one. */
  readonly isBatched: boolean;
}

/**
 * The classes with the highest values, best first, as `value:index` or `value:index:label`: BYTES [rows, n], or [n]
 * without rows. Of equal values the lower index comes first; NaN comes last.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
 *
 * @throws SluiceError `invalid_argument` when the tensor holds no numbers
 */
export function toClasses(
  tensor: Tensor,
  { count, labels, isBatched }: ClassOptions,
): TensorOf<"BYTES"> {
  const { name, datatype, shape } = tensor;
  if (tensor.datatype === "BYTES" || tensor.datatype === "BOOL") {
    throw invalidField(`outputs.${name}`, `is ${datatype}, which cannot be classified`);
  }
  const sizes = isBatched ? shape.slice(1) : shape;
  const rows = isBatched ? (shape[0] ?? 1) : 1;
  const width = sizes.reduce((product, size) => product * size, 1);
  const kept = Math.min(count, width);
  const values = toNumbers(tensor);
  const data: string[] = [];
  for (let row = 0; row < rows; row++) {
    const scores = values.slice(row * width, (row + 1) * width);
    for (const index of rank(scores).slice(0, kept)) {
      const label = labels?.[index];
      const value = formatValue(scores[index] ?? Number.NaN, datatype);
      data.push(label === undefined ? `${value}:${index}` : `${value}:${index}:${label}`);
    }
  }
  return { name, datatype: "BYTES", shape: isBatched ? [rows, kept] : [kept], data };
}

type Values = readonly (number | bigint)[];

function toNumbers(tensor: Tensor): Values {
  if (tensor.datatype === "FP16") return Array.from(tensor.data, fromHalfBits);
  return Array.from(tensor.data as ArrayLike<number | bigint>);
}

/** Indices by value, the highest first. */
function rank(scores: Values): readonly number[] {
  const indices = scores.map((_, index) => index);
  return indices.sort((left, right) => {
    const a = scores[left] ?? 0;
    const b = scores[right] ?? 0;
    if (a > b) return -1;
    if (a < b) return 1;
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || left - right;
  });
}

/** Floats with six digits behind the point, as C++ writes them. */
function formatValue(value: number | bigint, datatype: Tensor["datatype"]): string {
  if (typeof value === "bigint" || !datatype.startsWith("FP")) return String(value);
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return value.toFixed(6);
}
