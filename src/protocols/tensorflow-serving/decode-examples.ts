import { toTextOrBytes } from "../tensor-bytes.ts";
import { assertSignatureName, toFields } from "./decode-predict.ts";
import type { Example, Examples, FeatureValues } from "./example-tensors.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { malformed } from "./malformed.ts";
import { isBytesObject } from "./read-json-tensor.ts";

/**
 * Body of `:classify` and `:regress`: `examples`, each an object of features, and `context`, which all of them share. A
 * feature is a value or a list of values. `toExampleTensors` makes tensors of them.
 *
 * Source: https://www.tensorflow.org/tfx/serving/api_rest#classify_and_regress_api
 *
 * @throws SluiceError `invalid_argument` that names the wrong field
 */
export function decodeExamples(body: Uint8Array, maxDepth: number): Examples {
  const { value } = parseLenientJson(body, { maxDepth, tellsWholeNumbers: false });
  const fields = toFields(value);
  assertSignatureName(fields);
  // A body without a prototype, and one with: only own members count.
  const { examples, context } = fields;
  if (!Array.isArray(examples) || examples.length === 0) {
    throw malformed(
      "When method is classify or regress, key 'examples' is expected and was not found, or is an empty list.",
      "examples",
    );
  }
  return {
    examples: examples.map((example, index) => decodeExample(example, `examples[${index}]`)),
    context: context === undefined ? undefined : decodeExample(context, "context"),
  };
}

function decodeExample(value: unknown, field: string): Example {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(`Example must be a JSON object of features: ${field}`, field);
  }
  const features = Object.entries(value).map(
    ([name, feature]) => [name, decodeFeature(feature, `${field}.${name.slice(0, 64)}`)] as const,
  );
  return new Map(features);
}

function decodeFeature(value: unknown, field: string): FeatureValues {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.every((one) => typeof one === "string" || isBytesObject(one))) {
    return { kind: "bytes", values: values.map(toBytesValue) };
  }
  const numbers = values.map((one) => (typeof one === "boolean" ? Number(one) : one));
  if (numbers.every((one) => typeof one === "bigint" || Number.isSafeInteger(one))) {
    return { kind: "int64", values: numbers.map((one) => BigInt(one as number | bigint)) };
  }
  if (numbers.every((one) => typeof one === "number" || typeof one === "bigint")) {
    return { kind: "float", values: numbers.map(Number) };
  }
  throw malformed(`Feature must be a value or a list of values of one kind: ${field}`, field);
}

function toBytesValue(value: unknown): string | Uint8Array {
  if (!isBytesObject(value)) return String(value);
  return toTextOrBytes(Buffer.from(value.b64, "base64"));
}
