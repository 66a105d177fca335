import type { FieldProblem } from "../../../core/errors.ts";

/** Where exporters put the graph, the preferred place first. */
const USUAL_PLACES = ["model.onnx", "onnx/model.onnx"];
const WEIGHTS = /^(?:pytorch_model.*\.bin|model.*\.safetensors|tf_model\.h5|flax_model\.msgpack)$/;
const EXPORT = "export it with: optimum-cli export onnx --model <this folder> <new folder>";

/**
 * The graph among the files of an export.
 *
 * @param names files in its folder
 * @param onnxNames files in its folder `onnx`
 * @returns its path, or what is wrong
 */
export function findModelFile(
  names: readonly string[],
  onnxNames: readonly string[],
): string | FieldProblem {
  const paths = [...names, ...onnxNames.map((name) => `onnx/${name}`)];
  const graphs = paths.filter((path) => path.endsWith(".onnx"));
  const [first, second] = graphs;
  const chosen = USUAL_PLACES.find((path) => graphs.includes(path));
  if (chosen !== undefined) return chosen;
  if (first === undefined) {
    const weights = names.find((name) => WEIGHTS.test(name));
    const found = weights === undefined ? "" : `; ${weights} cannot be served, ${EXPORT}`;
    return { field: "model.onnx", problem: `is missing, here and in onnx/${found}` };
  }
  if (second === undefined) return first;
  const fix = `name one of them model.onnx, or state it in a manifest.json: ${toExample(first)}`;
  return { field: "model.onnx", problem: `is missing, and there are ${graphs.join(", ")}; ${fix}` };
}

function toExample(path: string): string {
  const manifest = { schema: "sluice.model/v1", extends: "config.json", model: { path } };
  return JSON.stringify(manifest);
}
