import type { Tensor } from "../../core/ports/tensor.ts";
import { fromHalfBits } from "../../core/tensors/half-float.ts";
import type { TensorResult } from "../../core/tensors/run-tensors.ts";
import { formatMs } from "../decimal.ts";
import type { AnswerContext } from "./encode-context.ts";
import { encodeContext } from "./encode-context.ts";

/** Body of the answer of `POST /v1/predictions` for tensors: `outputs` by name, each with flat `data`. */
export function encodeTensors(result: TensorResult, context: AnswerContext): string {
  const outputs = result.outputs.map(
    (tensor) => `${JSON.stringify(tensor.name)}:${encodeTensor(tensor)}`,
  );
  const processingTimeMs = formatMs(result.durationMs);
  const ending = encodeContext(result.model, result.version, context);
  return `{"outputs":{${outputs.join()}},"processing_time_ms":${processingTimeMs},${ending}}`;
}

function encodeTensor(tensor: Tensor): string {
  const shape = JSON.stringify(tensor.shape);
  return `{"shape":${shape},"datatype":"${tensor.datatype}","data":${encodeData(tensor)}}`;
}

/** Whole numbers of 64 bits keep all their digits; what JSON has no number for is null. */
function encodeData(tensor: Tensor): string {
  const { datatype, data } = tensor;
  if (tensor.datatype === "BYTES") return JSON.stringify(tensor.data.map(toWireBytes));
  if (datatype === "INT64" || datatype === "UINT64") return `[${data.join()}]`;
  if (datatype === "BOOL") return JSON.stringify(Array.from(data, (value) => value !== 0));
  if (datatype === "FP16") return JSON.stringify(Array.from(data, fromHalfBits));
  return JSON.stringify(Array.from(data as ArrayLike<number>));
}

/** Bytes that are no text travel as Base64, as in TensorFlow Serving's JSON. */
function toWireBytes(value: string | Uint8Array): string | { readonly b64: string } {
  return typeof value === "string" ? value : { b64: Buffer.from(value).toString("base64") };
}
