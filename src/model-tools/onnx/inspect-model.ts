import type { GraphProto, TensorProto, ValueInfoProto } from "../../generated/onnx_pb.ts";
import { checkModel } from "./check-model.ts";
import { toDataTypeName } from "./data-types.ts";
import type { CostEstimate } from "./estimate-cost.ts";
import { estimateCost } from "./estimate-cost.ts";
import { parseExternalPlace } from "./external-data.ts";
import { listSubgraphs, listTensors } from "./list-tensors.ts";
import type { ModelFinding } from "./model-finding.ts";
import type { ModelFile } from "./read-model-file.ts";
import { countElements, countTensorBytes, isExternal } from "./tensor-data.ts";

/** Everything that can be said about a model without running it. */
export interface ModelInspection {
  readonly path: string;
  /** Of the model file. */
  readonly bytes: number;
  /** Program that wrote it, with version; empty when it does not say. */
  readonly producer: string;
  readonly irVersion: number;
  /** Highest operator version by domain; `ai.onnx` for the standard operators. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  /** Largest first. */
  readonly weights: readonly WeightsOfType[];
  /** At most 8, largest first. */
  readonly largestTensors: readonly TensorDescription[];
  /** Other files that hold weights. */
  readonly externalFiles: readonly ExternalFile[];
  /** Nodes by operator, most frequent first; those of subgraphs too. */
  readonly operators: Readonly<Record<string, number>>;
  /** Undefined for models without an input of tokens. */
  readonly cost: CostEstimate | undefined;
  readonly findings: readonly ModelFinding[];
}

export interface ValueDescription {
  readonly name: string;
  readonly type: string;
  /** Numbers, or names of sizes that are known only at run time; undefined when it is no tensor or does not say. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** All tensors of one element type. */
export interface WeightsOfType {
  readonly type: string;
  readonly tensors: number;
  readonly values: number;
  readonly bytes: number;
}

export interface TensorDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface ExternalFile {
  readonly location: string;
  readonly tensors: number;
  readonly bytes: number;
}

const LARGEST_TENSORS = 8;

/** Looks at an open model and checks it; reads all its weights. */
export async function inspectModel(file: ModelFile): Promise<ModelInspection> {
  const { path, bytes, model, readChunks } = file;
  const { graph } = model;
  const findings = await checkModel(model, { readChunks });
  // Tensors whose sizes cannot be told are in the findings.
  const tensors = graph === undefined ? [] : listTensors(graph).filter(isMeasurable);
  return {
    path,
    bytes,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    irVersion: Number(model.irVersion),
    opsets: Object.fromEntries(
      model.opsetImport.map(({ domain, version }) => [domain || "ai.onnx", Number(version)]),
    ),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    inputs: describeInputs(graph),
    outputs: (graph?.output ?? []).map(describeValue),
    weights: groupWeights(tensors),
    largestTensors: tensors
      .map(describeTensor)
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, LARGEST_TENSORS),
    externalFiles: groupExternal(tensors),
    operators: countOperators(graph),
    cost: graph === undefined ? undefined : estimateCost(graph),
    findings,
  };
}

function isMeasurable(tensor: TensorProto): boolean {
  try {
    if (isExternal(tensor)) parseExternalPlace(tensor);
    countTensorBytes(tensor);
    return true;
  } catch {
    return false;
  }
}

/** Older models list their initializers among the inputs. */
function describeInputs(graph: GraphProto | undefined): ValueDescription[] {
  const initializers = new Set(graph?.initializer.map(({ name }) => name));
  const inputs = graph?.input.filter(({ name }) => !initializers.has(name)) ?? [];
  return inputs.map(describeValue);
}

function describeValue({ name, type }: ValueInfoProto): ValueDescription {
  const tensor = type?.value.value;
  if (tensor === undefined) return { name, type: "no tensor", shape: undefined };
  const shape = tensor.shape?.dim.map(({ value }) =>
    value.case === undefined || value.value === "" ? "?" : toSize(value.value),
  );
  return { name, type: toDataTypeName(tensor.elemType), shape };
}

function toSize(size: bigint | string): number | string {
  return typeof size === "bigint" ? Number(size) : size;
}

function describeTensor(tensor: TensorProto): TensorDescription {
  return {
    name: tensor.name === "" ? "(constant)" : tensor.name,
    type: toDataTypeName(tensor.dataType),
    shape: tensor.dims.map(Number),
    bytes: countTensorBytes(tensor),
  };
}

function groupWeights(tensors: readonly TensorProto[]): WeightsOfType[] {
  const groups = Map.groupBy(tensors, ({ dataType }) => toDataTypeName(dataType));
  return [...groups]
    .map(([type, group]) => ({
      type,
      tensors: group.length,
      values: sum(group.map(countElements)),
      bytes: sum(group.map(countTensorBytes)),
    }))
    .sort((a, b) => b.bytes - a.bytes);
}

function groupExternal(tensors: readonly TensorProto[]): ExternalFile[] {
  const places = tensors.filter(isExternal).map(parseExternalPlace);
  return [...Map.groupBy(places, ({ location }) => location)].map(([location, group]) => ({
    location,
    tensors: group.length,
    bytes: sum(group.map(({ length }) => length)),
  }));
}

function countOperators(graph: GraphProto | undefined): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const visit = ({ node: nodes }: GraphProto) => {
    for (const node of nodes) {
      const name = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      listSubgraphs(node).forEach(visit);
    }
  };
  if (graph !== undefined) visit(graph);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
