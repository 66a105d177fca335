import type { ModelProto, NodeProto } from "../../generated/onnx_pb.ts";
import { listSubgraphs } from "./list-tensors.ts";
import type { ModelFinding } from "./model-finding.ts";
import { createError, createWarning } from "./model-finding.ts";

/** What ONNX Runtime 1.30 reads, found out by asking it. */
const RUNTIME = {
  name: "ONNX Runtime 1.30",
  irVersion: 13,
  /** Highest version of each domain of operators; others need a library of custom operators. */
  opsets: new Map([
    ["", 26],
    ["ai.onnx.ml", 5],
    ["com.microsoft", 1],
  ]),
  /** Below this version of the standard operators, nothing is promised. */
  leastOpset: 7,
} as const;

/** Checks that the container and the sets of operators are ones that the runtime knows. */
export function checkOpsets(model: ModelProto): ModelFinding[] {
  return [...checkIrVersion(model), ...checkImports(model), ...checkDomains(model)];
}

function checkIrVersion({ irVersion }: ModelProto): ModelFinding[] {
  const { name, irVersion: highest } = RUNTIME;
  if (irVersion < 1n) return [createError("model", "states no IR version")];
  if (irVersion <= BigInt(highest)) return [];
  const problem = `has IR version ${irVersion}; ${name} reads up to ${highest}, so export it with an older one`;
  return [createError("model", problem)];
}

function checkImports({ opsetImport }: ModelProto): ModelFinding[] {
  if (opsetImport.length === 0) {
    return [createError("model", "names no set of operators; its end may be missing")];
  }
  const seen = new Set<string>();
  return opsetImport.flatMap(({ domain, version }) => {
    const key = toKey(domain);
    const findings = checkVersion(key, Number(version));
    if (seen.has(key)) {
      findings.push(createError("model", `imports the operators of ${toTitle(key)} twice`));
    }
    seen.add(key);
    return findings;
  });
}

function checkVersion(domain: string, version: number): ModelFinding[] {
  const { name, opsets, leastOpset } = RUNTIME;
  const highest = opsets.get(domain);
  if (highest === undefined || version < 1) {
    return version < 1 ? [createError("model", `imports ${toTitle(domain)} ${version}`)] : [];
  }
  const found = `uses operator set ${version} of ${toTitle(domain)}`;
  if (version > highest) {
    const problem = `${found}; ${name} knows up to ${highest}, so export it with opset_version=${highest} or lower`;
    return [createError("model", problem)];
  }
  if (domain !== "" || version >= leastOpset) return [];
  return [createWarning("model", `${found}; ${name} promises nothing below ${leastOpset}`)];
}

function checkDomains(model: ModelProto): ModelFinding[] {
  const imported = new Set(model.opsetImport.map(({ domain }) => toKey(domain)));
  const used = new Map<string, string>();
  const visit = (node: NodeProto) => {
    const domain = toKey(node.domain);
    if (!used.has(domain)) used.set(domain, node.opType);
    for (const graph of listSubgraphs(node)) graph.node.forEach(visit);
  };
  model.graph?.node.forEach(visit);
  return [...used].flatMap(([domain, operator]) => {
    if (!imported.has(domain)) {
      const problem = `uses ${operator} of ${toTitle(domain)}, which it does not import`;
      return [createError("model", problem)];
    }
    if (RUNTIME.opsets.has(domain) || definesFunctions(model)) return [];
    const problem = `uses ${operator} of ${toTitle(domain)}; ${RUNTIME.name} needs a library for it`;
    return [createWarning("model", problem)];
  });
}

/** Field 25, which `proto/onnx.proto` leaves out: operators that the model itself defines. */
function definesFunctions(model: ModelProto): boolean {
  return model.$unknown?.some(({ no }) => no === 25) ?? false;
}

function toKey(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function toTitle(domain: string): string {
  return domain === "" ? "ai.onnx" : domain;
}
