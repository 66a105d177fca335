import { SluiceError } from "../errors.ts";
import type { TextInput } from "../inference/request.ts";
import type { InferenceResult, ItemResult, Prediction } from "../inference/result.ts";
import type { Tensor, TensorSpec } from "../ports/tensor.ts";
import { PAIR_INPUT, TEXT_INPUT, TEXT_OUTPUTS } from "./text-signature.ts";

/**
 * The texts in the inputs of a model of texts. Pure.
 *
 * @param inputs which fit its signature
 * @throws SluiceError `invalid_argument` when there are none or too many, not as many second texts as first ones, or
 * bytes that are no text
 */
export function toTextInputs(inputs: readonly Tensor[], maxTexts: number): readonly TextInput[] {
  const texts = readTexts(inputs, TEXT_INPUT) ?? [];
  const pairs = readTexts(inputs, PAIR_INPUT);
  if (texts.length === 0 || texts.length > maxTexts) {
    throw wrong(TEXT_INPUT, `must hold 1 to ${maxTexts} texts; found ${texts.length}`);
  }
  if (pairs !== undefined && pairs.length !== texts.length) {
    const found = `found ${pairs.length} for ${texts.length}`;
    throw wrong(PAIR_INPUT, `must hold one text for each of ${TEXT_INPUT}; ${found}`);
  }
  return texts.map((text, index) => ({ text, pair: pairs?.[index] }));
}

function readTexts(inputs: readonly Tensor[], name: string): readonly string[] | undefined {
  const input = inputs.find((tensor) => tensor.name === name);
  if (input?.datatype !== "BYTES") return undefined;
  return input.data.map((value, index) => {
    if (typeof value === "string") return value;
    throw wrong(name, `must hold texts in UTF-8; element ${index} is none`);
  });
}

function wrong(input: string, problem: string): SluiceError {
  const field = `inputs.${input}`;
  return new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}

/**
 * What came of texts, one row per text. Pure. The rows of a text that has no answer are empty, 0 or NaN.
 *
 * @param specs the outputs wanted, in order
 * @param labels of the version that the request was routed to: its columns; a text that another version answered has
 * what that one gave the same labels, and 0 for those that it does not know
 */
export function toTextOutputs(
  { items }: InferenceResult,
  specs: readonly TensorSpec[],
  labels: readonly string[],
): readonly Tensor[] {
  return specs.map((spec) => toTextOutput(items, spec, labels));
}

type Items = readonly ItemResult[];

function toTextOutput(items: Items, { name }: TensorSpec, labels: readonly string[]): Tensor {
  const { label, score, probabilities, scores, logits, vector, windows, truncated } = TEXT_OUTPUTS;
  const shape = [items.length];
  const answered = items.map((item) => (item.ok ? item : undefined));
  switch (name) {
    case label: {
      const data = items.map((item) => bestOf(item)?.label ?? "");
      return { name, datatype: "BYTES", shape, data };
    }
    case score: {
      const data = Float32Array.from(items, (item) => bestOf(item)?.score ?? Number.NaN);
      return { name, datatype: "FP32", shape, data };
    }
    case probabilities:
    case scores:
    case logits:
      return toColumns(items, name, labels);
    case TEXT_OUTPUTS.labels: {
      const data = items.flatMap(() => labels);
      return { name, datatype: "BYTES", shape: [items.length, labels.length], data };
    }
    case vector:
      return toVectors(items, name);
    case windows: {
      const data = Int32Array.from(answered, (item) => item?.windows ?? 0);
      return { name, datatype: "INT32", shape, data };
    }
    case truncated: {
      const data = Uint8Array.from(answered, (item) => Number(item?.truncated ?? false));
      return { name, datatype: "BOOL", shape, data };
    }
    default: {
      const data = items.map((item) => (item.ok ? "" : item.error.message));
      return { name, datatype: "BYTES", shape, data };
    }
  }
}

type Labelled = Prediction & { readonly kind: "labels" };

function labelledOf(item: ItemResult): Labelled | undefined {
  return item.ok && item.prediction.kind === "labels" ? item.prediction : undefined;
}

function bestOf(item: ItemResult) {
  return labelledOf(item)?.labels[0];
}

function toColumns(items: Items, name: string, labels: readonly string[]): Tensor {
  const width = labels.length;
  const data = new Float32Array(items.length * width);
  for (const [row, item] of items.entries()) {
    const all = labelledOf(item)?.all;
    const values = name === TEXT_OUTPUTS.logits ? all?.logits : all?.scores;
    for (let column = 0; column < width; column++) {
      data[row * width + column] = columnOf(all?.labels, values, labels, column);
    }
  }
  return { name, datatype: "FP32", shape: [items.length, width], data };
}

function columnOf(
  own: readonly string[] | undefined,
  values: Float32Array | undefined,
  labels: readonly string[],
  column: number,
): number {
  if (own === undefined || values === undefined) return Number.NaN;
  const at = own === labels ? column : own.indexOf(labels[column] ?? "");
  return values[at] ?? 0;
}

function toVectors(items: Items, name: string): Tensor {
  const vectors = items.map((item) =>
    item.ok && item.prediction.kind === "vector" ? item.prediction.values : undefined,
  );
  const width = vectors.find((vector) => vector !== undefined)?.length ?? 0;
  const data = new Float32Array(items.length * width).fill(Number.NaN);
  for (const [row, vector] of vectors.entries()) if (vector) data.set(vector, row * width);
  return { name, datatype: "FP32", shape: [items.length, width], data };
}
