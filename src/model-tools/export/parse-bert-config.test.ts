import { expect, test } from "vitest";
import { parseBertConfig } from "./parse-bert-config.ts";

const contents = {
  architectures: ["BertForSequenceClassification"],
  model_type: "bert",
  hidden_act: "gelu",
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  vocab_size: 30_522,
  layer_norm_eps: 1e-7,
  id2label: { 0: "no", 1: "perhaps", 2: "yes" },
};

test("sizes and head are read from a configuration", () => {
  expect(parseBertConfig(contents)).toEqual({
    config: {
      vocabSize: 30_522,
      hiddenSize: 384,
      layers: 6,
      heads: 12,
      intermediateSize: 1536,
      maxPositions: 512,
      typeVocabSize: 2,
      layerNormEpsilon: 1e-7,
    },
    head: { kind: "classification", labels: 3 },
  });
  expect(parseBertConfig({ ...contents, architectures: ["BertModel"] }).head).toEqual({
    kind: "hidden-states",
  });
});

test("what a configuration leaves out is that of BERT base with two labels", () => {
  const { architectures, model_type } = contents;
  expect(parseBertConfig({ architectures, model_type })).toMatchObject({
    config: { hiddenSize: 768, layers: 12, heads: 12, layerNormEpsilon: 1e-12 },
    head: { labels: 2 },
  });
  expect(parseBertConfig({ architectures, model_type, num_labels: 4 })).toMatchObject({
    head: { labels: 4 },
  });
});

test("another family is refused with what is supported", () => {
  const roberta = {
    ...contents,
    architectures: ["RobertaForSequenceClassification"],
    model_type: "roberta",
  };
  expect(() => parseBertConfig(roberta)).toThrow(
    'architectures must be one of BertModel, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification; found ["RobertaForSequenceClassification"]; model_type must be "bert"; found "roberta"',
  );
});

test("everything that would change the computation is refused at once", () => {
  const strange = {
    ...contents,
    architectures: undefined,
    hidden_act: "gelu_new",
    position_embedding_type: "relative_key",
    is_decoder: true,
    hidden_size: 0,
    layer_norm_eps: "small",
  };
  expect(() => parseBertConfig(strange)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      details: [
        expect.objectContaining({ field: "architectures" }),
        expect.objectContaining({ field: "hidden_act" }),
        expect.objectContaining({ field: "position_embedding_type" }),
        expect.objectContaining({ field: "is_decoder" }),
        expect.objectContaining({ field: "hidden_size" }),
        expect.objectContaining({ field: "layer_norm_eps" }),
      ],
    }),
  );
  expect(() => parseBertConfig(null)).toThrow("cannot be exported");
});
