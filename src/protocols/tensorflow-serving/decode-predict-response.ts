import type { Tensor, TensorSignature } from "../../core/ports/tensor.ts";
import { toRemoteProblem } from "../open-inference/remote-problem.ts";
import { toFields } from "./decode-predict.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { malformed } from "./malformed.ts";
import { isBytesObject, readJsonTensor } from "./read-json-tensor.ts";

const MAX_DEPTH = 100;

/**
 * Reads the answer of `:predict` in column form of another server: of the outputs that the signature has, those that
 * are there.
 *
 * @throws SluiceError `unavailable` when it is no such answer
 */
export function decodePredictResponse(
  body: Uint8Array,
  { outputs: specs }: TensorSignature,
): readonly Tensor[] {
  return toRemoteProblem(() => {
    // Floats without a point, which other servers may write, are floats here all the same.
    const json = parseLenientJson(body, { maxDepth: MAX_DEPTH, tellsWholeNumbers: false });
    const { outputs } = toFields(json.value);
    if (outputs === undefined) throw malformed("Missing 'outputs' key");
    const [only] = specs;
    const isNamed = typeof outputs === "object" && outputs !== null && !Array.isArray(outputs);
    if (!isNamed || isBytesObject(outputs)) {
      if (only === undefined || specs.length > 1) throw malformed("outputs must be an object");
      return [readJsonTensor({ ...json, value: outputs }, only, "outputs")];
    }
    const named = toFields(outputs);
    return specs
      .filter(({ name }) => Object.hasOwn(named, name))
      .map((spec) =>
        readJsonTensor({ ...json, value: named[spec.name] }, spec, `outputs.${spec.name}`),
      );
  });
}
