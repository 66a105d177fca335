import type { Tensor } from "../../core/ports/tensor.ts";
import { invalidField } from "../invalid-field.ts";
import { encodeTensorHead } from "./encode-infer.ts";
import { encodeJsonData } from "./encode-json-data.ts";
import type { ParameterValue } from "./infer-parameters.ts";
import type { EncodedBody } from "./join-body.ts";
import { joinBody } from "./join-body.ts";
import { encodeRawTensor } from "./raw-tensor.ts";

/** What another server is asked. */
export interface InferRequest {
  readonly id?: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly inputs: readonly Tensor[];
  /** By name; undefined = all that the model answers unasked. */
  readonly outputs?: readonly string[];
}

/**
 * Body of a request to a server that speaks the protocol.
 *
 * @param isBinary whether the server knows the extension `binary_tensor_data`; then all tensors go and come as bytes
 * @throws SluiceError `invalid_argument` when JSON has to hold what it cannot: NaN, infinities, bytes that are no text
 */
export function encodeInferRequest(request: InferRequest, isBinary: boolean): EncodedBody {
  const { id, inputs, outputs } = request;
  const binary: Uint8Array[] = [];
  const written = inputs.map((tensor) => {
    if (!isBinary) return encodeInJson(tensor);
    const bytes = encodeRawTensor(tensor);
    binary.push(bytes);
    return encodeTensorHead(tensor, `"parameters":{"binary_data_size":${bytes.byteLength}}`);
  });
  const asked = outputs?.map((name) =>
    isBinary ? { name, parameters: { binary_data: true } } : { name },
  );
  const unnamed = isBinary && outputs === undefined ? { binary_data_output: true } : {};
  const parameters = { ...request.parameters, ...unnamed };
  const members = [
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    ...(Object.keys(parameters).length === 0 ? [] : [`"parameters":${JSON.stringify(parameters)}`]),
    `"inputs":[${written.join()}]`,
    ...(asked === undefined ? [] : [`"outputs":${JSON.stringify(asked)}`]),
  ];
  return joinBody(`{${members.join()}}`, isBinary ? binary : undefined);
}

function encodeInJson(tensor: Tensor): string {
  const data = encodeJsonData(tensor);
  if ("json" in data) return encodeTensorHead(tensor, `"data":${data.json}`);
  const problem = `${data.problem}, and the server reads no binary tensors`;
  throw invalidField(`inputs.${tensor.name}`, problem);
}
