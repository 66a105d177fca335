import type { Example as ExampleMessage, Feature } from "../../../generated/tensorflow_pb.ts";
import type { Input } from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField } from "../../invalid-field.ts";
import { toTextOrBytes } from "../../tensor-bytes.ts";
import type { Example, Examples, FeatureValues } from "../example-tensors.ts";

/**
 * Reads the examples of a call.
 *
 * @throws SluiceError `invalid_argument` when there are none
 */
export function decodeExamples(input: Input | undefined): Examples {
  const list = input?.kind.value;
  if (list === undefined || list.examples.length === 0) {
    throw invalidField("input", "has no examples; send at least one in example_list");
  }
  const context = "context" in list ? list.context : undefined;
  return {
    examples: list.examples.map(decodeExample),
    context: context === undefined ? undefined : decodeExample(context),
  };
}

function decodeExample({ features }: ExampleMessage): Example {
  const named = new Map<string, FeatureValues>();
  for (const [name, feature] of Object.entries(features?.feature ?? {})) {
    const values = decodeFeature(feature);
    if (values !== undefined) named.set(name, values);
  }
  return named;
}

/** A feature without a list is as good as none. */
function decodeFeature({ kind }: Feature): FeatureValues | undefined {
  if (kind.case === "bytesList") {
    return { kind: "bytes", values: kind.value.value.map(toTextOrBytes) };
  }
  if (kind.case === "floatList") return { kind: "float", values: kind.value.value };
  if (kind.case === "int64List") return { kind: "int64", values: kind.value.value };
  return undefined;
}
