import type { FieldProblem } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import { isRecord } from "../../core/models/field-reader.ts";
import type { EncoderConfig, EncoderHead } from "../onnx/encoder-config.ts";

/** What a `config.json` says about the graph that belongs to it. */
export interface EncoderDescription {
  readonly config: EncoderConfig;
  readonly head: EncoderHead;
}

/** Architectures, and what of them is exported. Those without a head of their own here give vectors. */
const HEADS: Readonly<Record<string, EncoderHead["kind"]>> = {
  BertModel: "hidden-states",
  BertForMaskedLM: "hidden-states",
  BertForPreTraining: "hidden-states",
  BertForSequenceClassification: "classification",
};

/** The architectures that are read; see {@link parseBertConfig} for what else must hold. */
export const EXPORTED_ARCHITECTURES: readonly string[] = Object.keys(HEADS);

/** Where a configuration leaves a size out, it has the one of BERT base (`BertConfig` in transformers). */
const SIZES: Readonly<Record<string, [field: keyof EncoderConfig, usual: number]>> = {
  vocab_size: ["vocabSize", 30_522],
  hidden_size: ["hiddenSize", 768],
  num_hidden_layers: ["layers", 12],
  num_attention_heads: ["heads", 12],
  intermediate_size: ["intermediateSize", 3072],
  max_position_embeddings: ["maxPositions", 512],
  type_vocab_size: ["typeVocabSize", 2],
};

/** Settings that would change the computation, and the only value of each that is exported. */
const FIXED: Readonly<Record<string, unknown>> = {
  model_type: "bert",
  hidden_act: "gelu",
  position_embedding_type: "absolute",
  is_decoder: false,
  add_cross_attention: false,
};

/**
 * Reads the parsed contents of a `config.json` of the BERT family.
 *
 * @throws SluiceError `invalid_argument` with one detail per setting that is not supported.
 */
export function parseBertConfig(contents: unknown): EncoderDescription {
  const fields = isRecord(contents) ? contents : {};
  const problems: FieldProblem[] = [];
  const reject = (field: string, expected: string, found: unknown) => {
    problems.push({ field, problem: `must be ${expected}; found ${JSON.stringify(found)}` });
  };
  const kind = readHeadKind(fields["architectures"], reject);
  for (const [field, only] of Object.entries(FIXED)) {
    const found = fields[field];
    // Absent means the usual, except for the one setting that says what all the others mean.
    const isUsual = found === undefined ? field !== "model_type" : found === only;
    if (!isUsual) reject(field, JSON.stringify(only), found);
  }
  const sizes = Object.entries(SIZES).map(([field, [name, usual]]) => {
    const size = fields[field] ?? usual;
    if (Number.isInteger(size) && Number(size) >= 1) return [name, Number(size)] as const;
    reject(field, "a whole number ≥ 1", size);
    return [name, usual] as const;
  });
  const layerNormEpsilon = fields["layer_norm_eps"] ?? 1e-12;
  if (typeof layerNormEpsilon !== "number" || !(layerNormEpsilon > 0)) {
    reject("layer_norm_eps", "a number above 0", layerNormEpsilon);
  }
  if (problems.length > 0) throw createError(problems);
  const config = { ...Object.fromEntries(sizes), layerNormEpsilon } as EncoderConfig;
  const head: EncoderHead =
    kind === "classification" ? { kind, labels: countLabels(fields) } : { kind: "hidden-states" };
  return { config, head };
}

function readHeadKind(
  architectures: unknown,
  reject: (field: string, expected: string, found: unknown) => void,
): EncoderHead["kind"] | undefined {
  const [first] = Array.isArray(architectures) ? architectures : [];
  const kind = typeof first === "string" && Object.hasOwn(HEADS, first) ? HEADS[first] : undefined;
  if (kind === undefined) {
    reject("architectures", `one of ${EXPORTED_ARCHITECTURES.join(", ")}`, architectures);
  }
  return kind;
}

/** transformers leaves the labels out when there are two that nobody named. */
function countLabels(fields: Readonly<Record<string, unknown>>): number {
  const { id2label, num_labels: stated } = fields;
  if (isRecord(id2label)) return Object.keys(id2label).length;
  return Number.isInteger(stated) ? Number(stated) : 2;
}

function createError(details: readonly FieldProblem[]): SluiceError {
  const summary = details.map(({ field, problem }) => `${field} ${problem}`).join("; ");
  const message = `This model cannot be exported; config.json: ${summary}.`;
  return new SluiceError("invalid_argument", message, { details });
}
