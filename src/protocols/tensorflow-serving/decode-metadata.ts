import type { TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { toRemoteProblem } from "../open-inference/remote-problem.ts";
import { fromTensorFlowType } from "./datatype.ts";
import { toFields } from "./decode-predict.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { malformed } from "./malformed.ts";

const MAX_DEPTH = 100;

/**
 * Reads a signature out of the answer of `GET /v1/models/<model>/metadata` of another server.
 *
 * @throws SluiceError `unavailable` when it is no such answer, has no such signature, or one with a datatype that is not
 * supported
 */
export function decodeMetadata(body: Uint8Array, signatureName: string): TensorSignature {
  return toRemoteProblem(() => {
    const { value } = parseLenientJson(body, { maxDepth: MAX_DEPTH, tellsWholeNumbers: false });
    const metadata = toFields(toFields(value)["metadata"]);
    const signatures = toFields(toFields(metadata["signature_def"])["signature_def"]);
    const { inputs, outputs } = toFields(signatures[signatureName]);
    return { inputs: toSpecs(inputs), outputs: toSpecs(outputs) };
  });
}

function toSpecs(value: unknown): readonly TensorSpec[] {
  return Object.entries(toFields(value)).map(([name, info]) => {
    const { dtype, tensor_shape: shape } = toFields(info);
    const datatype = fromTensorFlowType(String(dtype));
    if (datatype === undefined)
      throw malformed(`${name} has a datatype that is not supported here`);
    return { name, datatype, shape: toShape(toFields(shape)) };
  });
}

function toShape({
  dim = [],
  unknown_rank: isUnknown,
}: Readonly<Record<string, unknown>>): TensorSpec["shape"] {
  if (isUnknown === true) return undefined;
  if (!Array.isArray(dim)) throw malformed("tensor_shape.dim must be a list");
  return dim.map((entry: unknown) => {
    const size = Number(toFields(entry)["size"]);
    return Number.isSafeInteger(size) && size >= 0 ? size : null;
  });
}

/**
 * The versions that serve, out of the answer of `GET /v1/models/<model>` of another server.
 *
 * @throws SluiceError `unavailable` when it is no such answer
 */
export function decodeStatus(body: Uint8Array): readonly string[] {
  return toRemoteProblem(() => {
    const { value } = parseLenientJson(body, { maxDepth: MAX_DEPTH, tellsWholeNumbers: false });
    const { model_version_status: statuses } = toFields(value);
    if (!Array.isArray(statuses)) throw malformed("model_version_status must be a list");
    return statuses.flatMap((status: unknown) => {
      const { version, state } = toFields(status);
      return state === "AVAILABLE" ? [String(version)] : [];
    });
  });
}
