import type { MessageInitShape } from "@bufbuild/protobuf";
import type { InferParameter, InferParameterSchema } from "../../../generated/open_inference_pb.ts";
import type { ParameterValue } from "../infer-parameters.ts";

/** Parameters by name, as over HTTP. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** Reads parameters. Whole numbers beyond 2^53 lose digits; those without a value are left out. */
export function decodeParameters(parameters: Readonly<Record<string, InferParameter>>): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(
      ([
        name,
        {
          parameterChoice: { value },
        },
      ]) =>
        value === undefined ? [] : [[name, typeof value === "bigint" ? Number(value) : value]],
    ),
  );
}

/** Writes parameters: whole numbers as int64, all others as double. */
export function encodeParameters(
  parameters: Parameters = {},
): Record<string, MessageInitShape<typeof InferParameterSchema>> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, { parameterChoice: toChoice(value) }]),
  );
}

function toChoice(value: ParameterValue) {
  if (typeof value === "string") return { case: "stringParam" as const, value };
  if (typeof value === "boolean") return { case: "boolParam" as const, value };
  return Number.isSafeInteger(value)
    ? { case: "int64Param" as const, value: BigInt(value) }
    : { case: "doubleParam" as const, value };
}
