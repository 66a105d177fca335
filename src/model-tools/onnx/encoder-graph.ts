import { SluiceError } from "../../core/errors.ts";
import type { ModelProto, NodeProto, TensorProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import type { EncoderConfig, EncoderHead } from "./encoder-config.ts";
import type { WeightReader } from "./encoder-weights.ts";
import { listEncoderWeights, readEncoderWeights } from "./encoder-weights.ts";
import type { OnnxAttribute } from "./write-onnx.ts";
import {
  createFloatTensor,
  createInt64Tensor,
  createModel,
  createNode,
  createValueInfo,
} from "./write-onnx.ts";

/** What `buildEncoderModel` needs. */
export interface EncoderModelOptions {
  readonly config: EncoderConfig;
  readonly head: EncoderHead;
  readonly weights: WeightReader;
}

/**
 * Writes a BERT-style encoder (post-LayerNorm, absolute positions, exact Gelu) as plain ONNX operators, operator set 17,
 * in the form that PyTorch's exporter gives it: ONNX Runtime's optimizer knows this form and joins Gelu and bias itself.
 *
 * - Inputs, all int64 `[batch, sequence]`: `input_ids`; `attention_mask`, 1 for tokens and 0 for padding;
 *   `token_type_ids`. A sequence of more than `maxPositions` fails in the run.
 * - Output: see {@link EncoderHead}. What stands at padded positions of `last_hidden_state` means nothing.
 *
 * Weights keep their names without `bert.`; those of linear layers are turned to `[in, out]`. The same weights always
 * give the same model.
 *
 * @throws SluiceError `invalid_argument` when sizes are impossible, or weights are missing or have other shapes.
 */
export function buildEncoderModel({ config, head, weights }: EncoderModelOptions): ModelProto {
  assertConfig(config, head);
  const draft = createDraft(
    readEncoderWeights(listEncoderWeights(config, head), weights),
    config.layerNormEpsilon,
  );
  const mask = addMask(draft);
  let hidden = addEmbeddings(draft, config);
  for (let layer = 0; layer < config.layers; layer++) {
    const isLast = layer === config.layers - 1;
    const output =
      isLast && head.kind === "hidden-states" ? "last_hidden_state" : `layer.${layer}/output`;
    hidden = addLayer(draft, config, { name: `encoder.layer.${layer}`, hidden, mask, output });
  }
  if (head.kind === "classification") addClassifier(draft, hidden);
  const { FLOAT, INT64 } = TensorProto_DataType;
  return createModel({
    name: "encoder",
    inputs: ["input_ids", "attention_mask", "token_type_ids"].map((name) =>
      createValueInfo(name, INT64, ["batch", "sequence"]),
    ),
    outputs: [
      head.kind === "classification"
        ? createValueInfo("logits", FLOAT, ["batch", head.labels])
        : createValueInfo("last_hidden_state", FLOAT, ["batch", "sequence", config.hiddenSize]),
    ],
    initializers: draft.initializers,
    nodes: draft.nodes,
    metadata: {},
  });
}

function assertConfig(config: EncoderConfig, head: EncoderHead): void {
  const { layerNormEpsilon, ...sizes } = config;
  const all = head.kind === "classification" ? { ...sizes, labels: head.labels } : sizes;
  const problems = Object.entries(all)
    .filter(([, size]) => !Number.isInteger(size) || size < 1)
    .map(([field, size]) => ({ field, problem: `must be a whole number ≥ 1; found ${size}` }));
  if (!(layerNormEpsilon > 0)) {
    problems.push({
      field: "layerNormEpsilon",
      problem: `must be above 0; found ${layerNormEpsilon}`,
    });
  }
  if (config.hiddenSize % config.heads !== 0) {
    const problem = `must divide hiddenSize ${config.hiddenSize}; found ${config.heads}`;
    problems.push({ field: "heads", problem });
  }
  if (problems.length === 0) return;
  const summary = problems.map((p) => `${p.field} ${p.problem}`).join("; ");
  throw new SluiceError("invalid_argument", `Impossible encoder: ${summary}.`, {
    details: problems,
  });
}

/** A graph under construction. Every function adds nodes and returns the name of the value that comes out. */
interface Draft {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  add(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  /** A table as it is. */
  table(name: string, columns: number): string;
  /** Whole numbers that are the same for every input, shared by all who ask for the same name. */
  whole(name: string, dims: readonly number[], values: readonly number[]): string;
  scalar(name: string, value: number): string;
  linear(input: string, name: string, output: string): string;
  layerNorm(input: string, name: string, output: string): string;
}

function createDraft(weights: ReadonlyMap<string, Float32Array>, epsilon: number): Draft {
  const nodes: NodeProto[] = [];
  const constants = new Map<string, TensorProto>();
  const add: Draft["add"] = (operator, inputs, output, attributes) => {
    nodes.push(createNode(operator, inputs, output, attributes));
    return output;
  };
  const keep = (name: string, create: () => TensorProto): string => {
    if (!constants.has(name)) constants.set(name, create());
    return name;
  };
  const read = (name: string): Float32Array => {
    const values = weights.get(name);
    if (values === undefined) throw new SluiceError("internal", `No weights ${name}.`);
    return values;
  };
  const vector = (name: string): string =>
    keep(name, () => createFloatTensor(name, [read(name).length], read(name)));
  return {
    nodes,
    get initializers() {
      return [...constants.values()];
    },
    add,
    table: (name, columns) =>
      keep(name, () => createFloatTensor(name, [read(name).length / columns, columns], read(name))),
    whole: (name, dims, values) =>
      keep(name, () => createInt64Tensor(name, dims, BigInt64Array.from(values, BigInt))),
    scalar: (name, value) => keep(name, () => createFloatTensor(name, [], Float32Array.of(value))),
    linear: (input, name, output) => {
      const bias = read(`${name}.bias`);
      const matrix = keep(`${name}.weight`, () => {
        const columns = bias.length;
        const rows = read(`${name}.weight`).length / columns;
        const turned = transpose(read(`${name}.weight`), columns, rows);
        return createFloatTensor(`${name}.weight`, [rows, columns], turned);
      });
      const product = add("MatMul", [input, matrix], `${output}/product`);
      return add("Add", [product, vector(`${name}.bias`)], output);
    },
    layerNorm: (input, name, output) =>
      add("LayerNormalization", [input, vector(`${name}.weight`), vector(`${name}.bias`)], output, {
        axis: -1,
        epsilon: { float: epsilon },
      }),
  };
}

/** 0 for tokens, the lowest float for padding, `[batch, 1, 1, sequence]`: added to what Softmax gets. */
function addMask(draft: Draft): string {
  const axes = draft.whole("mask_axes", [2], [1, 2]);
  const wide = draft.add("Unsqueeze", ["attention_mask", axes], "mask/wide");
  const keeps = draft.add("Cast", [wide], "mask/keeps", { to: TensorProto_DataType.FLOAT });
  const drops = draft.add("Sub", [draft.scalar("one", 1), keeps], "mask/drops");
  // Not minus infinity: a row without any token would give NaN. Adding a score cannot overflow either.
  const lowest = draft.scalar("lowest", -3.4028234663852886e38);
  return draft.add("Mul", [drops, lowest], "mask");
}

function addEmbeddings(draft: Draft, { hiddenSize, maxPositions }: EncoderConfig): string {
  const table = (name: string) => draft.table(`embeddings.${name}_embeddings.weight`, hiddenSize);
  const words = draft.add("Gather", [table("word"), "input_ids"], "embeddings/words");
  const types = draft.add("Gather", [table("token_type"), "token_type_ids"], "embeddings/types");
  const shape = draft.add("Shape", ["input_ids"], "embeddings/shape");
  const last = draft.whole("last_axis", [1], [1]);
  const length = draft.add("Gather", [shape, last], "embeddings/length");
  const all = draft.whole(
    "position_ids",
    [1, maxPositions],
    Array.from({ length: maxPositions }, (_, position) => position),
  );
  const start = draft.whole("first_position", [1], [0]);
  const ids = draft.add("Slice", [all, start, length, last], "embeddings/position_ids");
  const positions = draft.add("Gather", [table("position"), ids], "embeddings/positions");
  const typed = draft.add("Add", [words, types], "embeddings/typed");
  const placed = draft.add("Add", [typed, positions], "embeddings/placed");
  return draft.layerNorm(placed, "embeddings.LayerNorm", "embeddings/output");
}

interface LayerPlace {
  /** Prefix of the layer's weights. */
  readonly name: string;
  readonly hidden: string;
  readonly mask: string;
  /** Name for what comes out. */
  readonly output: string;
}

function addLayer(draft: Draft, config: EncoderConfig, place: LayerPlace): string {
  const { name, hidden, output } = place;
  const at = name.replace("encoder.", "");
  const context = addAttention(draft, config, place);
  const mixed = draft.linear(context, `${name}.attention.output.dense`, `${at}/mixed`);
  const attended = draft.layerNorm(
    draft.add("Add", [mixed, hidden], `${at}/mixed_sum`),
    `${name}.attention.output.LayerNorm`,
    `${at}/attended`,
  );
  const wide = draft.linear(attended, `${name}.intermediate.dense`, `${at}/wide`);
  const narrow = draft.linear(addGelu(draft, wide), `${name}.output.dense`, `${at}/narrow`);
  const sum = draft.add("Add", [narrow, attended], `${at}/narrow_sum`);
  return draft.layerNorm(sum, `${name}.output.LayerNorm`, output);
}

/** Scaled dot-product attention (Vaswani et al., 2017) over all heads at once. */
function addAttention(draft: Draft, config: EncoderConfig, place: LayerPlace): string {
  const { name, hidden, mask } = place;
  const headSize = config.hiddenSize / config.heads;
  const at = `${name.replace("encoder.", "")}/attention`;
  // 0 keeps a size as it is.
  const split = draft.whole("heads_shape", [4], [0, 0, config.heads, headSize]);
  const joined = draft.whole("hidden_shape", [3], [0, 0, config.hiddenSize]);
  const project = (part: string, perm: readonly number[]) => {
    const flat = draft.linear(hidden, `${name}.attention.self.${part}`, `${at}/${part}`);
    const heads = draft.add("Reshape", [flat, split], `${at}/${part}_heads`);
    return draft.add("Transpose", [heads], `${at}/${part}_turned`, { perm });
  };
  const query = project("query", [0, 2, 1, 3]);
  const key = project("key", [0, 2, 3, 1]);
  const value = project("value", [0, 2, 1, 3]);
  const products = draft.add("MatMul", [query, key], `${at}/products`);
  const root = draft.scalar("head_size_root", Math.sqrt(headSize));
  const scores = draft.add("Div", [products, root], `${at}/scores`);
  const masked = draft.add("Add", [scores, mask], `${at}/masked`);
  const shares = draft.add("Softmax", [masked], `${at}/shares`, { axis: -1 });
  const context = draft.add("MatMul", [shares, value], `${at}/context`);
  const turned = draft.add("Transpose", [context], `${at}/context_turned`, { perm: [0, 2, 1, 3] });
  return draft.add("Reshape", [turned, joined], `${at}/context_joined`);
}

/** x · (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel, 2016). */
function addGelu(draft: Draft, input: string): string {
  const one = draft.scalar("one", 1);
  const scaled = draft.add(
    "Div",
    [input, draft.scalar("root_of_two", Math.SQRT2)],
    `${input}/scaled`,
  );
  const erf = draft.add("Erf", [scaled], `${input}/erf`);
  const shifted = draft.add("Add", [erf, one], `${input}/shifted`);
  const product = draft.add("Mul", [input, shifted], `${input}/gelu_twice`);
  return draft.add("Mul", [product, draft.scalar("half", 0.5)], `${input}/gelu`);
}

/** The vector of the first token, through the pooler and the classifier. */
function addClassifier(draft: Draft, hidden: string): void {
  const first = draft.add("Gather", [hidden, draft.whole("first_token", [], [0])], "pooler/first", {
    axis: 1,
  });
  const dense = draft.linear(first, "pooler.dense", "pooler/dense");
  const pooled = draft.add("Tanh", [dense], "pooler/output");
  draft.linear(pooled, "classifier", "logits");
}

/** `[rows, columns]` to `[columns, rows]`. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] as number;
    }
  }
  return turned;
}
