import { create } from "@bufbuild/protobuf";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  TensorProto,
} from "../../generated/onnx_pb.ts";
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
} from "../../generated/onnx_pb.ts";

/**
 * The same model with other tensors in the place of some, wherever they are. What holds none of them is shared with the
 * given model, which stays as it is; unknown fields are kept.
 */
export function replaceTensors(
  model: ModelProto,
  replacements: ReadonlyMap<TensorProto, TensorProto>,
): ModelProto {
  if (replacements.size === 0 || model.graph === undefined) return model;
  const graph = replaceInGraph(model.graph, replacements);
  return Object.assign(create(ModelProtoSchema), model, { graph });
}

type Replacements = ReadonlyMap<TensorProto, TensorProto>;

function replaceInGraph(graph: GraphProto, replacements: Replacements): GraphProto {
  return Object.assign(create(GraphProtoSchema), graph, {
    initializer: graph.initializer.map((tensor) => replacements.get(tensor) ?? tensor),
    node: graph.node.map((node) => {
      if (!node.attribute.some(holdsTensors)) return node;
      const attribute = node.attribute.map((each) => replaceInAttribute(each, replacements));
      return Object.assign(create(NodeProtoSchema), node, { attribute });
    }),
  });
}

function holdsTensors({ t, g, tensors, graphs }: AttributeProto): boolean {
  return t !== undefined || g !== undefined || tensors.length > 0 || graphs.length > 0;
}

function replaceInAttribute(attribute: AttributeProto, replacements: Replacements): AttributeProto {
  const { t, g, tensors, graphs } = attribute;
  // A field that is set to undefined would be written as an empty one.
  return Object.assign(create(AttributeProtoSchema), attribute, {
    ...(t === undefined ? {} : { t: replacements.get(t) ?? t }),
    ...(g === undefined ? {} : { g: replaceInGraph(g, replacements) }),
    tensors: tensors.map((tensor) => replacements.get(tensor) ?? tensor),
    graphs: graphs.map((graph) => replaceInGraph(graph, replacements)),
  });
}
