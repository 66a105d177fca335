import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ModelSpec, ModelSpecSchema } from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField } from "../../invalid-field.ts";

/** Which model a call is for. */
export interface DecodedModelSpec {
  readonly model: string;
  /** Digits; `undefined` = the server chooses, or goes by the label. */
  readonly version: string | undefined;
  /** `undefined` = by the version. Never both. */
  readonly label: string | undefined;
  /** `undefined` = the default, `serving_default`. */
  readonly signatureName: string | undefined;
}

/** The same for a message of ours. */
export interface ModelSpecInit {
  readonly model: string;
  /** Only whole numbers go out: the format has no room for others. */
  readonly version?: string | undefined;
  readonly label?: string | undefined;
  readonly signatureName?: string | undefined;
}

const MAX_VERSION = 2n ** 63n - 1n;

/** @throws SluiceError `invalid_argument` when there is no name, or the version is below 0 */
export function decodeModelSpec(
  spec: ModelSpec | undefined,
  field = "model_spec",
): DecodedModelSpec {
  if (spec === undefined || spec.name === "") {
    throw invalidField(`${field}.name`, "is missing; send the name of a model");
  }
  const { name: model, signatureName, versionChoice } = spec;
  const version = versionChoice.case === "version" ? versionChoice.value.value : undefined;
  if (version !== undefined && version < 0n) {
    throw invalidField(`${field}.version`, "must be a whole number from 0");
  }
  const label = versionChoice.case === "versionLabel" ? versionChoice.value : "";
  return {
    model,
    version: version?.toString(),
    label: label === "" ? undefined : label,
    signatureName: signatureName === "" ? undefined : signatureName,
  };
}

/** Writes which model answered, or is asked. */
export function encodeModelSpec(init: ModelSpecInit): MessageInitShape<typeof ModelSpecSchema> {
  const { model, version, label, signatureName = "" } = init;
  const number = toVersionNumber(version);
  const base = { name: model, signatureName };
  if (number !== undefined) {
    return { ...base, versionChoice: { case: "version", value: { value: number } } };
  }
  if (label === undefined) return base;
  return { ...base, versionChoice: { case: "versionLabel", value: label } };
}

/** A version as a number; undefined when it is none of 63 bits. */
export function toVersionNumber(version: string | undefined): bigint | undefined {
  if (version === undefined || !/^\d{1,19}$/.test(version)) return undefined;
  const number = BigInt(version);
  return number <= MAX_VERSION ? number : undefined;
}
