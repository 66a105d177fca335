import { SluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { OutputSpec } from "../runner-spec.ts";

/** An output of a run. */
export interface OutputTensor {
  /** ONNX Runtime's name for the element type. */
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

export interface RowOptions {
  readonly pooling: OutputSpec["pooling"];
  readonly normalize: boolean;
  /** Values per text, when that is known. */
  readonly width: number | undefined;
}

/**
 * One row per text from the output of a run, each a copy of its own.
 *
 * @throws SluiceError `model_failed` when the output has not the shape that was announced
 */
export function toRows(
  output: OutputTensor | undefined,
  batch: readonly EncodedText[],
  options: RowOptions,
): readonly Float32Array[] {
  const { pooling, normalize } = options;
  const { data, dims } = assertShape(output, batch.length, options);
  const width = dims.at(-1) ?? 0;
  const length = dims[1] ?? 0;
  const rows = batch.map(({ ids }, row) => {
    if (pooling === "none") return data.slice(row * width, (row + 1) * width);
    const start = row * length * width;
    if (pooling === "cls") return data.slice(start, start + width);
    return averageTokens(data, start, ids.length, width);
  });
  if (normalize) for (const row of rows) normalizeInPlace(row);
  return rows;
}

/** float32 as it is; float16 converted. */
function toFloats(output: OutputTensor | undefined): Float32Array | undefined {
  const data = output?.data;
  if (data instanceof Float32Array) return data;
  if (output?.type !== "float16" || !ArrayBuffer.isView(data)) return undefined;
  // Depending on the version of Node these are half floats or their bits; the memory is the same.
  const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return Float32Array.from(halves, toFloat);
}

const SIGN = 0x8000;
const EXPONENT_SHIFT = 10;
const EXPONENT_MASK = 0x1f;
const FRACTION_MASK = 0x3ff;
/** 2^-24, the smallest half float above zero. */
const SUBNORMAL_STEP = 2 ** -24;
const EXPONENT_BIAS = 15;

/** The value of a half float's bits (IEEE 754 binary16). */
function toFloat(bits: number): number {
  const sign = bits & SIGN ? -1 : 1;
  const exponent = (bits >> EXPONENT_SHIFT) & EXPONENT_MASK;
  const fraction = bits & FRACTION_MASK;
  if (exponent === 0) return sign * fraction * SUBNORMAL_STEP;
  if (exponent === EXPONENT_MASK) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / (FRACTION_MASK + 1)) * 2 ** (exponent - EXPONENT_BIAS);
}

function assertShape(output: OutputTensor | undefined, texts: number, options: RowOptions) {
  const { pooling, width } = options;
  const dims = output?.dims ?? [];
  const rank = pooling === "none" ? 2 : 3;
  const data = toFloats(output);
  const fits =
    data !== undefined &&
    dims.length === rank &&
    dims[0] === texts &&
    (width === undefined || dims.at(-1) === width);
  if (fits) return { data, dims };
  const expected = [texts, ...(rank === 3 ? ["length"] : []), width ?? "values"].join(", ");
  throw new SluiceError(
    "model_failed",
    `The model returned [${dims.join(", ")}] where [${expected}] was expected.`,
  );
}

/** The mean over a text's own tokens; padding does not count. */
function averageTokens(data: Float32Array, start: number, tokens: number, width: number) {
  const sums = new Float32Array(width);
  for (let token = 0; token < tokens; token++) {
    const at = start + token * width;
    for (let i = 0; i < width; i++) sums[i] = (sums[i] as number) + (data[at + i] as number);
  }
  for (let i = 0; i < width; i++) sums[i] = (sums[i] as number) / tokens;
  return sums;
}

function normalizeInPlace(row: Float32Array): void {
  let sum = 0;
  for (const value of row) sum += value * value;
  const length = Math.sqrt(sum);
  if (length === 0) return;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) / length;
}
