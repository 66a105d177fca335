import type { Tensor } from "../../core/ports/tensor.ts";
import { invalidField } from "../invalid-field.ts";
import { encodeJsonData } from "./encode-json-data.ts";
import type { ParameterValue } from "./infer-parameters.ts";
import type { EncodedBody } from "./join-body.ts";
import { joinBody } from "./join-body.ts";
import { encodeRawTensor } from "./raw-tensor.ts";

/** What an inference request is answered with. */
export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  /** As the request had it. */
  readonly id: string | undefined;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly outputs: readonly Tensor[];
}

/**
 * Body of the answer of `POST /v2/models/<model>/infer`: flat `data` in JSON, or binary parts behind it.
 *
 * @param isBinary whether the output of this name goes into the binary part
 * @throws SluiceError `invalid_argument` when an output is asked for in JSON that JSON cannot hold: NaN, infinities,
 * bytes that are no text
 */
export function encodeInfer(
  { model, version, id, parameters, outputs }: InferAnswer,
  isBinary: (name: string) => boolean,
): EncodedBody {
  const binary: Uint8Array[] = [];
  const written = outputs.map((tensor) => {
    if (!isBinary(tensor.name)) return encodeInJson(tensor);
    const bytes = encodeRawTensor(tensor);
    binary.push(bytes);
    return encodeTensorHead(tensor, `"parameters":{"binary_data_size":${bytes.byteLength}}`);
  });
  const members = [
    `"model_name":${JSON.stringify(model)}`,
    `"model_version":${JSON.stringify(version)}`,
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    ...(parameters === undefined ? [] : [`"parameters":${JSON.stringify(parameters)}`]),
    `"outputs":[${written.join()}]`,
  ];
  return joinBody(`{${members.join()}}`, binary.length === 0 ? undefined : binary);
}

/** `{name, datatype, shape, …}` as every tensor begins. */
export function encodeTensorHead({ name, datatype, shape }: Tensor, rest: string): string {
  const head = `"name":${JSON.stringify(name)},"datatype":"${datatype}"`;
  return `{${head},"shape":[${shape.join()}],${rest}}`;
}

function encodeInJson(tensor: Tensor): string {
  const data = encodeJsonData(tensor);
  if ("json" in data) return encodeTensorHead(tensor, `"data":${data.json}`);
  const problem = `${data.problem}; ask for it with the parameter binary_data: true`;
  throw invalidField(`outputs.${tensor.name}`, problem);
}
