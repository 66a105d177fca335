import { invalidField } from "../invalid-field.ts";
import { nameOf } from "../native/field-reader.ts";
import type { JsonObject } from "./parse-json-part.ts";
import { readParameters } from "./read-wire-tensors.ts";

/** A value that the protocol allows. */
export type ParameterValue = string | number | boolean;

/** `parameters` of an inference request. */
export interface InferParameters {
  /** 1 is the highest; 0 is the default. */
  readonly priority: number;
  /** Microseconds after which nobody wants the answer; undefined: as the server has it. */
  readonly timeoutUs: number | undefined;
  /** Whether outputs go into the binary part unless they say otherwise. */
  readonly binaryDataOutput: boolean;
  /** A gateway says that no caller asked; see `COPY_PARAMETERS`. */
  readonly isCopy: boolean;
  /** Whatever else there was. */
  readonly others: Readonly<Record<string, ParameterValue>>;
}

const COPY_PARAMETER = "sluice_copy";
/**
 * What a gateway of Sluice tells an engine of Sluice about what no caller asked, so that the engine's metrics count it
 * apart too.
 */
export const COPY_PARAMETERS: Readonly<Record<string, ParameterValue>> = { [COPY_PARAMETER]: true };

const MAX_PARAMETERS = 1024;
const RESERVED_PREFIX = "triton_";
/** What has a meaning here, and is not among the others. */
const KNOWN = [
  "priority",
  "timeout",
  "binary_data_output",
  "sequence_id",
  "sequence_start",
  "sequence_end",
  COPY_PARAMETER,
];

/**
 * Decodes the parameters of a request. `priority`, `timeout` and `binary_data_output` are understood. Of sequences only
 * what says that there is none is taken: nothing here keeps a state between requests. `headers` and names that begin
 * with `triton_` are reserved by the protocol's extensions and refused.
 *
 * @throws SluiceError `invalid_argument` that names the wrong parameter
 */
export function decodeInferParameters(value: unknown): InferParameters {
  const parameters = readParameters(value, "parameters");
  refuseSequences(parameters);
  return {
    priority: readWhole(parameters, "priority") ?? 0,
    // A timeout of 0 is Triton's word for none.
    timeoutUs: readWhole(parameters, "timeout") || undefined,
    binaryDataOutput: readBoolean(parameters, "binary_data_output") ?? false,
    isCopy: readBoolean(parameters, COPY_PARAMETER) ?? false,
    others: readOthers(parameters),
  };
}

function readWhole(parameters: JsonObject, name: string): number | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidField(`parameters.${name}`, `must be a whole number from 0; found ${nameOf(value)}`);
}

function readBoolean(parameters: JsonObject, name: string): boolean | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw invalidField(`parameters.${name}`, `must be true or false; found ${nameOf(value)}`);
}

function refuseSequences(parameters: JsonObject): void {
  const id = parameters["sequence_id"] ?? 0;
  const isNone = id === 0 || id === "";
  const starts = readBoolean(parameters, "sequence_start") ?? false;
  const ends = readBoolean(parameters, "sequence_end") ?? false;
  if (isNone && !starts && !ends) return;
  const problem = "is not supported: no model here keeps a state between requests; leave it out";
  throw invalidField("parameters.sequence_id", problem);
}

function readOthers(parameters: JsonObject): Readonly<Record<string, ParameterValue>> {
  const others: [string, ParameterValue][] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (KNOWN.includes(name) || value === null) continue;
    const field = `parameters.${name.slice(0, 64)}`;
    if (name === "headers" || name.startsWith(RESERVED_PREFIX)) {
      throw invalidField(field, "is a reserved name; use another");
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw invalidField(field, `must be a string, number or boolean; found ${nameOf(value)}`);
    }
    if (others.length === MAX_PARAMETERS) {
      throw invalidField("parameters", `may be ${MAX_PARAMETERS} at most`);
    }
    others.push([name, value]);
  }
  return Object.fromEntries(others);
}
