import { SluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import { fromHalfBits } from "../../core/tensors/half-float.ts";
import { formatFloat32, formatFloat64 } from "../format-float.ts";
import type { PredictForm } from "./decode-predict.ts";

export interface EncodePredictOptions {
  readonly form: PredictForm;
  /** Instances of a request in row form. */
  readonly rows: number;
  /** Write NaN and infinities, for which JSON has no words, as null instead of as bare words. */
  readonly strictJson: boolean;
}

/** Outputs whose names end so are bytes, also where they could be texts. */
const BYTES_ENDING = "_bytes";

/**
 * Body of the answer of `:predict`: `predictions`, one per instance, or `outputs`. Bare where the model has one output,
 * by name where it has several. Floats always have a point or an exponent, so that they can be told from whole numbers.
 *
 * @throws SluiceError `invalid_argument` when an output has not one row per instance, so that only the column form can
 * carry it
 */
export function encodePredict(outputs: readonly Tensor[], options: EncodePredictOptions): string {
  const { form, rows, strictJson } = options;
  const writers = outputs.map((tensor) => createWriter(tensor, strictJson));
  const names = outputs.map(({ name }) => JSON.stringify(name));
  const together = (parts: readonly string[]) =>
    parts.length === 1
      ? (parts[0] ?? "")
      : `{${parts.map((part, i) => `${names[i]}:${part}`).join()}}`;
  if (form === "column") {
    const whole = outputs.map(({ shape }, i) => nest(writers[i] ?? WRITES_NOTHING, shape, 0));
    return `{"outputs":${together(whole)}}`;
  }
  for (const { name, shape } of outputs) assertRows(name, shape, rows);
  const predictions = Array.from({ length: rows }, (_, row) =>
    together(
      outputs.map(({ shape, data }, i) =>
        nest(writers[i] ?? WRITES_NOTHING, shape.slice(1), (data.length / rows) * row),
      ),
    ),
  );
  return `{"predictions":[${predictions.join()}]}`;
}

function assertRows(name: string, shape: readonly number[], rows: number): void {
  if (shape[0] === rows) return;
  const message = `Tensor name: ${name} has inconsistent batch size: ${shape[0] ?? "none"} expecting: ${rows}. Ask in column form, with 'inputs'.`;
  throw new SluiceError("invalid_argument", message);
}

/** Writes the element at a place. */
type Write = (index: number) => string;

const WRITES_NOTHING: Write = () => "null";

function nest(write: Write, shape: readonly number[], start: number): string {
  const [size, ...rest] = shape;
  if (size === undefined) return write(start);
  const stride = rest.reduce((product, one) => product * one, 1);
  const parts = new Array<string>(size);
  for (let i = 0; i < size; i++) {
    const at = start + i * stride;
    parts[i] = rest.length === 0 ? write(at) : nest(write, rest, at);
  }
  return `[${parts.join()}]`;
}

function createWriter(tensor: Tensor, strictJson: boolean): Write {
  const orToken = (format: (value: number) => string) => (value: number) => {
    if (Number.isFinite(value)) return format(value);
    return strictJson ? "null" : String(value);
  };
  switch (tensor.datatype) {
    case "BYTES": {
      const isBytes = tensor.name.endsWith(BYTES_ENDING);
      return (index) => writeBytes(tensor.data[index] ?? "", isBytes);
    }
    case "BOOL":
      return (index) => (tensor.data[index] === 0 ? "false" : "true");
    case "FP16": {
      const write = orToken(formatFloat32);
      return (index) => write(fromHalfBits(tensor.data[index] ?? 0));
    }
    case "FP32": {
      const write = orToken(formatFloat32);
      return (index) => write(tensor.data[index] ?? 0);
    }
    case "FP64": {
      const write = orToken(formatFloat64);
      return (index) => write(tensor.data[index] ?? 0);
    }
    default:
      return (index) => String(tensor.data[index]);
  }
}

function writeBytes(value: string | Uint8Array, isBytes: boolean): string {
  if (typeof value === "string" && !isBytes) return JSON.stringify(value);
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
  return `{"b64":"${bytes.toString("base64")}"}`;
}
