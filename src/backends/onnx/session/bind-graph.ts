import type { InferenceSession } from "onnxruntime-node";
import { SluiceError } from "../../../core/errors.ts";
import type { InputNames, OutputSpec } from "../runner-spec.ts";

type ValueMetadata = InferenceSession.ValueMetadata;

/** An input of whole numbers, `[batch, tokens]`. */
export interface BoundInput {
  readonly name: string;
  readonly type: "int64" | "int32";
}

/** How texts go into a graph and rows come out. */
export interface GraphBinding {
  readonly ids: BoundInput;
  /** 1 for ids, 0 for padding. */
  readonly mask: BoundInput | undefined;
  /** 0 for the first text of a pair, 1 for the second. */
  readonly typeIds: BoundInput | undefined;
  /** 0, 1, 2 … */
  readonly positions: BoundInput | undefined;
  readonly output: {
    readonly name: string;
    /** `none`: the graph gives one row per text already. */
    readonly pooling: OutputSpec["pooling"];
  };
}

/** Names that exporters give, in order of preference. */
const USUAL_NAMES = {
  ids: ["input_ids", "ids", "input"],
  mask: ["attention_mask", "input_mask", "mask"],
  typeIds: ["token_type_ids", "segment_ids"],
  positions: ["position_ids"],
} as const;
const ROW_OUTPUTS = ["logits", "scores", "sentence_embedding", "pooler_output"];
const TOKEN_OUTPUTS = ["last_hidden_state", "token_embeddings", "hidden_states"];

/**
 * Finds out how to feed a graph. Pure.
 *
 * @throws SluiceError `invalid_argument` that names what is expected and what the graph has
 */
export function bindGraph(
  inputs: readonly ValueMetadata[],
  outputs: readonly ValueMetadata[],
  names: InputNames,
  output: OutputSpec,
): GraphBinding {
  const found = new Map(inputs.map((input) => [input.name, input]));
  const take = (wanted: readonly string[]): BoundInput | undefined => {
    const name = wanted.find((candidate) => found.has(candidate));
    const value = name === undefined ? undefined : found.get(name);
    if (value === undefined) return undefined;
    found.delete(value.name);
    return toBoundInput(value);
  };
  const ids = take(names.ids === undefined ? USUAL_NAMES.ids : [names.ids]);
  if (ids === undefined) {
    const wanted = names.ids ?? USUAL_NAMES.ids.join('" or "');
    throw misfit(`The model must have an input "${wanted}", int64 [batch, length]`, inputs);
  }
  const mask = take(USUAL_NAMES.mask);
  const typeIds = take(USUAL_NAMES.typeIds);
  const positions = take(USUAL_NAMES.positions);
  if (found.size > 0) {
    throw misfit(`Nothing is known to feed the inputs "${[...found.keys()].join('", "')}"`, inputs);
  }
  return { ids, mask, typeIds, positions, output: bindOutput(outputs, output) };
}

function toBoundInput(value: ValueMetadata): BoundInput {
  const { name } = value;
  if (value.isTensor && (value.type === "int64" || value.type === "int32")) {
    const fixed = value.shape.some((size) => typeof size === "number" && size > 0);
    if (value.shape.length === 2 && !fixed) return { name, type: value.type };
  }
  throw misfit(
    `The input "${name}" must be int64 or int32 [batch, length], both open: export the model with dynamic axes`,
    [value],
  );
}

function bindOutput(outputs: readonly ValueMetadata[], spec: OutputSpec): GraphBinding["output"] {
  const chosen = findOutput(outputs, spec);
  const named = spec.name === undefined ? "" : ` "${spec.name}"`;
  const expected = `The model must have an output${named}, float32 or float16 [batch, ${spec.width ?? "values"}]`;
  if (chosen === undefined || !isFloatTensor(chosen)) throw misfit(expected, outputs);
  // Without a shape, what the graph gives is checked on every run, and so is a width that is not known before.
  const rank = chosen.shape.length || (spec.pooling === "none" ? 2 : 3);
  const width = chosen.shape.at(-1);
  const isOther = typeof width === "number" && width > 0 && width !== spec.width;
  if (rank < 2 || rank > 3 || (spec.width !== undefined && isOther))
    throw misfit(expected, outputs);
  if (rank === 2) return { name: chosen.name, pooling: "none" };
  if (spec.pooling === "none") {
    const problem = `The output "${chosen.name}" has a vector per token; say how to pool them`;
    throw misfit(problem, outputs);
  }
  return { name: chosen.name, pooling: spec.pooling };
}

function isFloatTensor(value: ValueMetadata): value is InferenceSession.TensorValueMetadata {
  return value.isTensor && (value.type === "float32" || value.type === "float16");
}

function findOutput(
  outputs: readonly ValueMetadata[],
  spec: OutputSpec,
): ValueMetadata | undefined {
  if (spec.name !== undefined) return outputs.find(({ name }) => name === spec.name);
  const ofRank = (rank: number) =>
    outputs.filter((output) => isFloatTensor(output) && output.shape.length === rank);
  const rows = pick(ofRank(2), ROW_OUTPUTS);
  const perToken = pick(ofRank(3), TOKEN_OUTPUTS);
  if (spec.pooling === "none") return rows ?? perToken ?? pick(outputs, ROW_OUTPUTS);
  // Exports of sentence encoders may pool in the graph; a bare encoder's pooler output is something else.
  const pooled = ofRank(2).find(({ name }) => name === "sentence_embedding");
  return pooled ?? perToken ?? rows ?? pick(outputs, TOKEN_OUTPUTS);
}

/** The one with the most usual name, or the only one; among several strangers nobody is guessed. */
function pick(values: readonly ValueMetadata[], usual: readonly string[]) {
  const named = usual.map((name) => values.find((value) => value.name === name));
  return (
    named.find((value) => value !== undefined) ?? (values.length === 1 ? values[0] : undefined)
  );
}

function misfit(problem: string, values: readonly ValueMetadata[]): SluiceError {
  return new SluiceError("invalid_argument", `${problem}; found ${describeValues(values)}.`);
}

function describeValues(values: readonly ValueMetadata[]): string {
  const described = values.map((value) =>
    value.isTensor
      ? `"${value.name}" ${value.type} [${value.shape.join(", ")}]`
      : `"${value.name}" (not a tensor)`,
  );
  return described.join(", ") || "none";
}
