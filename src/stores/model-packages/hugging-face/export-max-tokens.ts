import type { Fields } from "../is-record.ts";
import type { HuggingFaceExport } from "./hugging-face-export.ts";

/** `model_max_length` of tokenizers that know no limit is 1e30; nothing real comes near this. */
const NO_LIMIT = 10_000_000;

/**
 * Kinds of models that number positions from `pad_token_id + 1`, so that so many rows of the position table are never
 * used: 514 positions are 512 tokens (`create_position_ids_from_input_ids` in transformers).
 */
const OFFSET_POSITIONS: ReadonlySet<unknown> = new Set([
  "camembert",
  "data2vec-text",
  "ernie_m",
  "ibert",
  "lilt",
  "longformer",
  "luke",
  "mpnet",
  "roberta",
  "roberta-prelayernorm",
  "xlm-roberta",
  "xlm-roberta-xl",
  "xmod",
]);

/** `pad_token_id`; where the configuration is silent, what its kind of model has. */
export function toPadId(config: Fields): number {
  const stated = config["pad_token_id"];
  if (typeof stated === "number" && stated >= 0) return stated;
  return OFFSET_POSITIONS.has(config["model_type"]) ? 1 : 0;
}

/** The longest sequence, special tokens included: the smallest of all limits; undefined when there is none. */
export function toMaxTokens(files: HuggingFaceExport): number | undefined {
  const limits = [
    toPositions(files.config),
    files.tokenizerConfig?.["model_max_length"],
    files.sentenceBertConfig?.["max_seq_length"],
  ].filter((limit): limit is number => typeof limit === "number" && limit > 0 && limit < NO_LIMIT);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function toPositions(config: Fields): number | undefined {
  const rows = config["max_position_embeddings"] ?? config["n_positions"];
  if (typeof rows !== "number" || rows <= 0) return undefined;
  return OFFSET_POSITIONS.has(config["model_type"]) ? rows - toPadId(config) - 1 : rows;
}
