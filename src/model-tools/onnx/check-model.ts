import type { ModelProto } from "../../generated/onnx_pb.ts";
import { checkGraph } from "./check-graph.ts";
import { checkOpsets } from "./check-opsets.ts";
import { checkTensorSizes, checkTensorValues } from "./check-tensors.ts";
import type { ModelFinding } from "./model-finding.ts";
import { createError, createWarning } from "./model-finding.ts";
import { removeUnused } from "./rewrite-graph.ts";
import type { ChunkReader } from "./tensor-data.ts";
import { readEmbeddedChunks } from "./tensor-data.ts";

export interface CheckModelOptions {
  /** Default: tensors hold their elements themselves. */
  readonly readChunks?: ChunkReader;
  /** Read all weights and look for values that are no numbers. Default: true. */
  readonly readsWeights?: boolean;
}

/**
 * Checks the structure of a model: versions, names, order of the nodes, sizes of tensors, values of weights. What the
 * operators mean is left to the runtime.
 *
 * @returns what was found, errors first.
 */
export async function checkModel(
  model: ModelProto,
  options: CheckModelOptions = {},
): Promise<readonly ModelFinding[]> {
  const { readChunks = readEmbeddedChunks, readsWeights = true } = options;
  const { graph } = model;
  if (graph === undefined) return [createError("model", "holds no graph")];
  const sizes = checkTensorSizes(graph);
  // A tensor of the wrong size cannot be read, and would be reported twice.
  const values =
    readsWeights && sizes.length === 0 ? await checkTensorValues(graph, readChunks) : [];
  const unused = checkUnused(model);
  const findings = [...checkOpsets(model), ...checkGraph(graph), ...sizes, ...values, ...unused];
  return findings.toSorted((a, b) => a.severity.localeCompare(b.severity));
}

function checkUnused({ graph }: ModelProto): ModelFinding[] {
  if (graph === undefined || graph.output.length === 0) return [];
  const removed = removeUnused({ ...graph });
  if (removed.nodes + removed.initializers === 0) return [];
  const problem = `holds ${removed.nodes} nodes and ${removed.initializers} initializers that no output needs`;
  return [createWarning("model", problem)];
}
