import type { Fields } from "../is-record.ts";
import type { ModelCard } from "./model-card.ts";

/**
 * What the files of a Hugging Face export say: the parsed contents of those that matter for serving, undefined where
 * there is no such file. Formats: `save_pretrained` of transformers, `save` of sentence-transformers.
 */
export interface HuggingFaceExport {
  /** `config.json`. */
  readonly config: Fields;
  /** `tokenizer_config.json`. */
  readonly tokenizerConfig: Fields | undefined;
  /** `sentence_bert_config.json`. */
  readonly sentenceBertConfig: Fields | undefined;
  /** `modules.json`: the steps from text to vector, in order. */
  readonly modules: unknown;
  /** `config.json` of the folder of the pooling step, usually `1_Pooling`. */
  readonly pooling: Fields | undefined;
  /** `README.md`. */
  readonly card: ModelCard;
}
