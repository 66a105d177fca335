import { SluiceError } from "../../core/errors.ts";
import type { GraphProto, TensorProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { parseExternalPlace } from "./external-data.ts";
import { listTensors } from "./list-tensors.ts";
import type { ModelFinding } from "./model-finding.ts";
import { createError, createWarning } from "./model-finding.ts";
import type { ChunkReader } from "./tensor-data.ts";
import {
  countElements,
  countTensorBytes,
  isExternal,
  toEmbeddedBytes,
  toView,
} from "./tensor-data.ts";

/** Checks that every tensor has as many elements as its dimensions say. Reads nothing. */
export function checkTensorSizes(graph: GraphProto): ModelFinding[] {
  return listTensors(graph).flatMap((tensor) =>
    catchProblem(tensor, () => {
      if (isExternal(tensor)) {
        parseExternalPlace(tensor);
        return [];
      }
      if (tensor.dataType === TensorProto_DataType.STRING) return checkStrings(tensor);
      const [expected, found] = [countTensorBytes(tensor), toEmbeddedBytes(tensor).length];
      if (expected === found) return [];
      const problem = `must have ${expected} bytes for [${tensor.dims.join(", ")}]; found ${found}`;
      return [createError(toTitle(tensor), problem)];
    }),
  );
}

function checkStrings(tensor: TensorProto): ModelFinding[] {
  const [expected, found] = [countElements(tensor), tensor.stringData.length];
  if (expected === found) return [];
  return [createError(toTitle(tensor), `must have ${expected} strings; found ${found}`)];
}

/**
 * Reads every float tensor and looks for values that are no numbers. Infinity is a warning: masks hold it on purpose.
 * Files of weights that are missing or too short are found here.
 */
export async function checkTensorValues(
  graph: GraphProto,
  readChunks: ChunkReader,
): Promise<ModelFinding[]> {
  const findings: ModelFinding[] = [];
  for (const tensor of listTensors(graph)) {
    const layout = FLOAT_LAYOUTS.get(tensor.dataType);
    if (layout === undefined && !isExternal(tensor)) continue;
    try {
      const counts = { nan: 0, infinite: 0 };
      for await (const chunk of readChunks(tensor)) {
        if (layout !== undefined) countSpecial(chunk, layout, counts);
      }
      findings.push(...describeSpecial(tensor, counts));
    } catch (error) {
      findings.push(toFinding(tensor, error));
    }
  }
  return findings;
}

/** Where a float keeps its exponent: in the highest `bytes` of an element. */
interface FloatLayout {
  /** Of one element. */
  readonly bytes: 2 | 4 | 8;
  readonly exponent: number;
  readonly fraction: number;
}

const FLOAT_LAYOUTS = new Map<number, FloatLayout>([
  [TensorProto_DataType.FLOAT, { bytes: 4, exponent: 0x7f800000, fraction: 0x7fffff }],
  [TensorProto_DataType.DOUBLE, { bytes: 8, exponent: 0x7ff00000, fraction: 0xfffff }],
  [TensorProto_DataType.FLOAT16, { bytes: 2, exponent: 0x7c00, fraction: 0x3ff }],
  [TensorProto_DataType.BFLOAT16, { bytes: 2, exponent: 0x7f80, fraction: 0x7f }],
]);

function countSpecial(
  chunk: Uint8Array,
  { bytes, exponent, fraction }: FloatLayout,
  counts: { nan: number; infinite: number },
): void {
  const words =
    bytes === 2 ? new Uint16Array(...toView(chunk, 2)) : new Uint32Array(...toView(chunk, 4));
  const step = bytes === 8 ? 2 : 1;
  for (let i = step - 1; i < words.length; i += step) {
    const word = words[i] as number;
    if ((word & exponent) !== exponent) continue;
    const isNan = (word & fraction) !== 0 || (step === 2 && words[i - 1] !== 0);
    if (isNan) counts.nan++;
    else counts.infinite++;
  }
}

function describeSpecial(
  tensor: TensorProto,
  { nan, infinite }: { nan: number; infinite: number },
): ModelFinding[] {
  const of = `of ${countElements(tensor)} values are`;
  return [
    ...(nan === 0 ? [] : [createError(toTitle(tensor), `${nan} ${of} not numbers (NaN)`)]),
    ...(infinite === 0 ? [] : [createWarning(toTitle(tensor), `${infinite} ${of} infinite`)]),
  ];
}

function catchProblem(tensor: TensorProto, check: () => ModelFinding[]): ModelFinding[] {
  try {
    return check();
  } catch (error) {
    return [toFinding(tensor, error)];
  }
}

function toFinding(tensor: TensorProto, error: unknown): ModelFinding {
  if (error instanceof SluiceError) return createError(toTitle(tensor), error.message);
  throw error;
}

function toTitle({ name }: TensorProto): string {
  return name === "" ? "a constant" : name;
}
