import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../core/errors.ts";
import { parseManifest } from "../../../core/models/manifest.ts";
import type { HuggingFaceExport } from "./hugging-face-export.ts";
import { toManifestFields } from "./to-manifest-fields.ts";

const NOTHING: HuggingFaceExport = {
  config: {},
  tokenizerConfig: undefined,
  sentenceBertConfig: undefined,
  modules: undefined,
  pooling: undefined,
  card: { languages: [], license: undefined },
};

const IDENTITY = {
  schema: "sluice.model/v1",
  name: "m",
  version: "1.0.0",
  model: { path: "model.onnx", sha256: "0".repeat(64) },
};

/** The manifest that a server makes of an export. */
function toManifest(files: Partial<HuggingFaceExport>, stated: Record<string, unknown> = {}) {
  const { fields, problems } = toManifestFields({ ...NOTHING, ...files }, stated);
  expect(problems).toEqual([]);
  const manifest = parseManifest({ ...IDENTITY, ...fields });
  if (manifest.task === "tensor") throw new Error("An export became a model of tensors.");
  return manifest;
}

function toProblems(files: Partial<HuggingFaceExport>, stated: Record<string, unknown> = {}) {
  const { problems } = toManifestFields({ ...NOTHING, ...files }, stated);
  return problems.map(({ field, problem }) => `${field} ${problem}`);
}

const DISTILBERT = {
  activation: "gelu",
  architectures: ["DistilBertForSequenceClassification"],
  dim: 768,
  id2label: { "0": "NEGATIVE", "1": "POSITIVE" },
  label2id: { NEGATIVE: 0, POSITIVE: 1 },
  max_position_embeddings: 512,
  model_type: "distilbert",
  n_layers: 6,
  pad_token_id: 0,
};

const ROBERTA = {
  architectures: ["RobertaForSequenceClassification"],
  id2label: { "0": "negative", "1": "neutral", "2": "positive" },
  label2id: { negative: 0, neutral: 1, positive: 2 },
  max_position_embeddings: 514,
  model_type: "roberta",
  pad_token_id: 1,
  type_vocab_size: 1,
};

const DEBERTA = {
  architectures: ["DebertaV2ForSequenceClassification"],
  id2label: { "0": "entailment", "1": "neutral", "2": "contradiction" },
  label2id: { contradiction: 2, entailment: 0, neutral: 1 },
  max_position_embeddings: 512,
  max_relative_positions: -1,
  model_type: "deberta-v2",
  pad_token_id: 0,
  relative_attention: true,
};

const TOXICITY = {
  architectures: ["BertForSequenceClassification"],
  id2label: { "0": "toxic", "1": "obscene", "2": "threat" },
  label2id: { obscene: 1, threat: 2, toxic: 0 },
  max_position_embeddings: 512,
  model_type: "bert",
  pad_token_id: 0,
  problem_type: "multi_label_classification",
};

const RERANKER = {
  architectures: ["BertForSequenceClassification"],
  id2label: { "0": "LABEL_0" },
  label2id: { LABEL_0: 0 },
  max_position_embeddings: 512,
  model_type: "bert",
  pad_token_id: 0,
};

const MINILM: Partial<HuggingFaceExport> = {
  config: {
    architectures: ["BertModel"],
    hidden_size: 384,
    max_position_embeddings: 512,
    model_type: "bert",
    pad_token_id: 0,
  },
  tokenizerConfig: { model_max_length: 512, tokenizer_class: "BertTokenizer" },
  sentenceBertConfig: { max_seq_length: 256, do_lower_case: false },
  modules: [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    { idx: 2, name: "2", path: "2_Normalize", type: "sentence_transformers.models.Normalize" },
  ],
  pooling: {
    word_embedding_dimension: 384,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  },
};

describe("classifiers", () => {
  test("DistilBERT with two sentiments", () => {
    const tokenizerConfig = { model_max_length: 512 };
    const card = { languages: ["en"], license: "apache-2.0" };
    expect(toManifest({ config: DISTILBERT, tokenizerConfig, card })).toEqual({
      name: "m",
      version: "1.0.0",
      task: "classification",
      problemType: "single_label_classification",
      labels: ["NEGATIVE", "POSITIVE"],
      languages: ["en"],
      tokenizer: { kind: "tokenizer.json", path: "tokenizer.json" },
      maxTokens: 512,
      windows: { max: 8, overlapTokens: 32 },
      model: IDENTITY.model,
      inputs: { ids: undefined, padId: 0 },
      output: { name: undefined, pooling: "none", normalize: false },
      defaultFunction: "softmax",
      thresholds: {},
      abstainBelow: undefined,
      description: "Text classification with DistilBertForSequenceClassification.",
      license: "apache-2.0",
    });
  });

  test("RoBERTa has two positions more than tokens, and a tokenizer that knows no limit", () => {
    const tokenizerConfig = { model_max_length: 1e30 };
    expect(toManifest({ config: ROBERTA, tokenizerConfig })).toMatchObject({
      labels: ["negative", "neutral", "positive"],
      maxTokens: 512,
      inputs: { padId: 1 },
    });
  });

  test("a tweet model of the same kind reads 128 tokens", () => {
    const config = { ...ROBERTA, max_position_embeddings: 130 };
    expect(toManifest({ config }).maxTokens).toBe(128);
  });

  test("DeBERTa's relative positions take nothing away", () => {
    expect(toManifest({ config: DEBERTA })).toMatchObject({
      labels: ["entailment", "neutral", "contradiction"],
      maxTokens: 512,
      defaultFunction: "softmax",
    });
  });

  test("several labels may be true of a text", () => {
    expect(toManifest({ config: TOXICITY })).toMatchObject({
      problemType: "multi_label_classification",
      labels: ["toxic", "obscene", "threat"],
      defaultFunction: "sigmoid",
    });
  });

  test("one number that is a measurement is no score for pairs", () => {
    const config = { ...RERANKER, problem_type: "regression" };
    expect(toManifest({ config })).toMatchObject({
      task: "classification",
      problemType: "regression",
      labels: ["LABEL_0"],
      defaultFunction: "none",
    });
  });

  test("labels that nobody named are two, as in transformers", () => {
    const config = { architectures: ["XLMRobertaForSequenceClassification"] };
    expect(toManifest({ config }).labels).toEqual(["LABEL_0", "LABEL_1"]);
  });

  test("a cross-encoder with several labels is a classifier of pairs", () => {
    const named = { activation_fn: "torch.nn.modules.linear.Identity", version: "4.1.0" };
    expect(toManifest({ config: { ...DEBERTA, sentence_transformers: named } })).toMatchObject({
      task: "classification",
      defaultFunction: "softmax",
    });
  });
});

describe("scorers", () => {
  test.each([
    ["nothing", {}, "sigmoid"],
    [
      "Identity",
      { sentence_transformers: { activation_fn: "torch.nn.modules.linear.Identity" } },
      "none",
    ],
    [
      "Sigmoid",
      { sentence_transformers: { activation_fn: "torch.nn.modules.activation.Sigmoid" } },
      "sigmoid",
    ],
    [
      "Identity in the older spelling",
      { sbert_ce_default_activation_function: "torch.nn.modules.linear.Identity" },
      "none",
    ],
  ])("a cross-encoder that names %s", (_name, named, defaultFunction) => {
    expect(toManifest({ config: { ...RERANKER, ...named } })).toMatchObject({
      task: "scoring",
      problemType: "regression",
      labels: ["score"],
      windows: { max: 1 },
      defaultFunction,
    });
  });

  test("a function that is not served is refused, unless another is stated", () => {
    const config = { ...RERANKER, sentence_transformers: { activation_fn: "torch.nn.Tanh" } };
    expect(toProblems({ config })).toEqual([
      expect.stringMatching(/^config\.json activation_fn must be Sigmoid or Identity; found Tanh/),
    ]);
    expect(toManifest({ config }, { defaultFunction: "none" }).defaultFunction).toBe("none");
  });
});

describe("embeddings", () => {
  test("MiniLM of sentence-transformers reads no more than it was trained on", () => {
    expect(toManifest(MINILM)).toMatchObject({
      task: "embedding",
      labels: [],
      maxTokens: 256,
      output: { pooling: "mean", normalize: true },
      defaultFunction: "none",
      description: "Text embedding with BertModel.",
    });
  });

  test("without Normalize among its steps it is not normalized", () => {
    const modules = (MINILM.modules as readonly unknown[]).slice(0, 2);
    expect(toManifest({ ...MINILM, modules }).output.normalize).toBe(false);
  });

  test.each([
    ["a flag for the first token", { pooling_mode_cls_token: true }, "cls"],
    ["a name", { embedding_dimension: 384, pooling_mode: "cls" }, "cls"],
    ["a list with one name", { pooling_mode: ["mean"] }, "mean"],
  ])("pooling is stated as %s", (_name, pooling, expected) => {
    expect(toManifest({ ...MINILM, pooling }).output.pooling).toBe(expected);
  });

  test.each([
    ["max", { pooling_mode_max_tokens: true }, /must be mean or cls; found max_tokens/],
    [
      "two at once",
      { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true },
      /found cls_token with mean_tokens/,
    ],
    ["none", {}, /found none/],
    ["a name from elsewhere", { pooling_mode: "constructor" }, /found constructor/],
  ])("pooling by %s is refused", (_name, pooling, expected) => {
    expect(toProblems({ ...MINILM, pooling })).toEqual([expect.stringMatching(expected)]);
  });

  test("a step that is not served is refused, unless the manifest says that the graph does it", () => {
    const dense = { path: "2_Dense", type: "sentence_transformers.models.Dense.Dense" };
    const files = { ...MINILM, modules: [...(MINILM.modules as readonly unknown[]), dense] };
    expect(toProblems(files)).toEqual([expect.stringMatching(/^modules\.json has a step Dense/)]);
    const output = { name: "sentence_embedding", pooling: "none" };
    expect(toManifest(files, { output }).output).toMatchObject(output);
  });

  test("a pooling step without its file is refused", () => {
    expect(toProblems({ ...MINILM, pooling: undefined })).toEqual([
      expect.stringMatching(/^1_Pooling\/config\.json is missing/),
    ]);
  });

  test("a plain transformer is taken as the mean at length 1", () => {
    expect(toManifest({ config: { architectures: ["XLMRobertaModel"] } }).output).toMatchObject({
      pooling: "mean",
      normalize: true,
    });
  });

  test("MPNet, exported from its language model, counts as an embedding beside its modules", () => {
    const config = {
      architectures: ["MPNetForMaskedLM"],
      model_type: "mpnet",
      max_position_embeddings: 514,
      pad_token_id: 1,
    };
    const sentenceBertConfig = { max_seq_length: 384 };
    expect(toManifest({ ...MINILM, config, sentenceBertConfig })).toMatchObject({
      task: "embedding",
      maxTokens: 384,
      inputs: { padId: 1 },
    });
    expect(toProblems({ config })).toEqual([
      expect.stringMatching(/…Model \(embedding\).*found MPNetForMaskedLM/),
    ]);
  });
});

test.each([
  [["BertForTokenClassification"], /found BertForTokenClassification/],
  [["LlamaForCausalLM"], /found LlamaForCausalLM/],
  [[], /it is missing/],
  [undefined, /it is missing/],
])("the architectures %j are refused with those that are served", (architectures, expected) => {
  const problems = toProblems({ config: { architectures } });
  expect(problems).toEqual([expect.stringMatching(expected)]);
  expect(problems[0]).toContain("…ForSequenceClassification (classification");
});

test("of several architectures the one that is served counts", () => {
  const config = { ...DISTILBERT, architectures: ["Other", ...DISTILBERT.architectures] };
  expect(toManifest({ config }).task).toBe("classification");
});

test("an unknown problem type is named with those that exist", () => {
  expect(toProblems({ config: { ...TOXICITY, problem_type: "ranking" } })).toEqual([
    'config.json problem_type must be single_label_classification, multi_label_classification, regression or left out; found "ranking"',
  ]);
});

test("all mistakes of an export are named together", () => {
  const config = { ...TOXICITY, problem_type: 1, id2label: { "0": "a", "2": "b" }, num_labels: 3 };
  const fields = toProblems({ config }).map((problem) => problem.split(" ")[1]);
  expect(fields).toEqual(["problem_type", "num_labels", "id2label.1"]);
});

test("what a manifest states replaces what the export says, and what is wrong with that", () => {
  const config = { ...TOXICITY, id2label: { "0": "a", "1": "a" } };
  const stated = {
    labels: ["toxic", "obscene", "threat"],
    thresholds: { toxic: 0.7 },
    windows: { max: 2 },
    languages: ["en", "de"],
    inputs: { ids: "tokens" },
    description: "Finds rude texts.",
  };
  const manifest = toManifest({ config }, stated);
  expect(manifest).toMatchObject({ ...stated, windows: { max: 2, overlapTokens: 32 } });
  expect(manifest.inputs.padId).toBe(0);
});

test("a label that cannot even be made a text of is named as wrong", () => {
  const config = {
    architectures: ["BertForSequenceClassification"],
    id2label: { "0": { toString: false } },
    problem_type: false,
  };
  const { problems } = toManifestFields({ ...NOTHING, config }, {});
  expect(problems.map(({ field }) => field)).toContain("config.json id2label.0");
});

test("names that cannot even be made texts of are passed over or shown as they are", () => {
  const unprintable = { toString: null };
  const config = { architectures: [unprintable, "BertModel"] };
  const pooling = { pooling_mode: [unprintable] };
  const { fields, problems } = toManifestFields({ ...NOTHING, config, pooling }, {});
  expect(fields["task"]).toBe("embedding");
  expect(problems.map(({ problem }) => problem)).toEqual([
    expect.stringContaining('found {"toString":null};'),
  ]);
});

test("whatever the files hold, the answer is a manifest or a reason", () => {
  // JSON can hold objects that JavaScript cannot make a text of; at random alone they come too seldom.
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ toString: null }, [{ toString: null }], { "0": { toString: null } }),
  );
  const architecture = fc.constantFrom("BertForSequenceClassification", "BertModel", "X");
  const config = fc.record(
    {
      architectures: fc.oneof(fc.tuple(architecture), anything),
      id2label: fc.oneof(fc.dictionary(fc.constantFrom("0", "1", "x"), anything), anything),
      label2id: fc.oneof(fc.dictionary(fc.string(), fc.nat(3)), anything),
      num_labels: anything,
      problem_type: anything,
      max_position_embeddings: anything,
      pad_token_id: anything,
      model_type: fc.constantFrom("roberta", "bert"),
      sentence_transformers: anything,
    },
    { requiredKeys: [] },
  );
  const object = fc.option(fc.dictionary(fc.string(), anything), { nil: undefined });
  const files = fc.record({
    config,
    tokenizerConfig: object,
    sentenceBertConfig: object,
    modules: anything,
    pooling: object,
    card: fc.constant(NOTHING.card),
  });
  fc.assert(
    fc.property(files, (found) => {
      const { fields, problems } = toManifestFields(found, {});
      if (problems.length > 0) return;
      try {
        parseManifest({ ...IDENTITY, ...fields });
      } catch (error) {
        expect(error).toBeInstanceOf(SluiceError);
      }
    }),
  );
});
