import { toBinary } from "@bufbuild/protobuf";
import type { GraphProto, ModelProto, NodeProto, TensorProto } from "../../generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../generated/onnx_pb.ts";
import { importOpset, removeUnused, replaceNodes } from "../onnx/rewrite-graph.ts";
import { findEmbeddingTables, writeEmbeddingTable } from "./embedding-tables.ts";
import type { QuantizedForm, QuantizedInput } from "./quantized-layer.ts";
import { RUNTIME_DOMAIN, writeQuantizedLayers } from "./write-quantized-layers.ts";

/** What is to be done to a graph. */
export interface GraphQuantization {
  readonly inputs: readonly QuantizedInput[];
  readonly form: QuantizedForm;
  /** Store the tables of embeddings in bytes too. */
  readonly quantizesEmbeddings: boolean;
}

/**
 * Replaces linear layers and embedding tables of a model by quantized ones, and drops the constants that nothing reads
 * any more.
 *
 * @param model is changed. The layers in `inputs` must have been found in it, not in a copy.
 * @returns the bytes of the changed model; the same model and plan always give the same bytes.
 */
export function quantizeGraph(
  model: ModelProto,
  graph: GraphProto,
  quantization: GraphQuantization,
): Uint8Array {
  const { inputs, form, quantizesEmbeddings } = quantization;
  const replacements = new Map<NodeProto, readonly NodeProto[]>();
  const added: TensorProto[] = [];
  for (const input of inputs) {
    const part = writeQuantizedLayers(input, form);
    const places = input.layers.map(({ layer }) => layer.product);
    const first = graph.node.find((node) => places.includes(node));
    for (const { layer } of input.layers) {
      replacements.set(layer.product, []);
      if (layer.addition !== undefined) replacements.set(layer.addition, []);
    }
    // Everything that the layers need is known where the first of them stood.
    if (first !== undefined) replacements.set(first, part.nodes);
    added.push(...part.initializers);
  }
  for (const table of quantizesEmbeddings ? findEmbeddingTables(graph) : []) {
    const part = writeEmbeddingTable(table);
    for (const [lookup, nodes] of part.replacements) replacements.set(lookup, nodes);
    added.push(...part.initializers);
  }
  replaceNodes(graph, replacements);
  graph.initializer.push(...added);
  removeUnused(graph);
  if (graph.node.some(({ domain }) => domain === RUNTIME_DOMAIN)) {
    importOpset(model, RUNTIME_DOMAIN, 1);
  }
  return toBinary(ModelProtoSchema, model);
}
