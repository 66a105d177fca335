import type { FieldProblem } from "../../../core/errors.ts";
import type { Fields } from "../is-record.ts";

/** Where exporters put the graph, the preferred place first. */
const USUAL_PLACES = ["model.onnx", "onnx/model.onnx"];
const WEIGHTS = /^(?:pytorch_model.*\.bin|model.*\.safetensors|tf_model\.h5|flax_model\.msgpack)$/;
/** The only form of weights that `sluice export` reads. */
const OUR_WEIGHTS = "model.safetensors";
/** What `sluice export` reads, which a driver cannot ask: a test holds this against `EXPORTED_ARCHITECTURES`. */
const OUR_ARCHITECTURES: ReadonlySet<unknown> = new Set([
  "BertModel",
  "BertForMaskedLM",
  "BertForPreTraining",
  "BertForSequenceClassification",
]);

/**
 * The graph among the files of an export.
 *
 * @param names files in its folder
 * @param onnxNames files in its folder `onnx`
 * @param config its `config.json`, which decides by what tool a graph can be made where there is none
 * @returns its path, or what is wrong
 */
export function findModelFile(
  names: readonly string[],
  onnxNames: readonly string[],
  config: Fields,
): string | FieldProblem {
  const paths = [...names, ...onnxNames.map((name) => `onnx/${name}`)];
  const graphs = paths.filter((path) => path.endsWith(".onnx"));
  const [first, second] = graphs;
  const chosen = USUAL_PLACES.find((path) => graphs.includes(path));
  if (chosen !== undefined) return chosen;
  if (first === undefined) {
    const found = describeWeights(names, config);
    return { field: "model.onnx", problem: `is missing, here and in onnx/${found}` };
  }
  if (second === undefined) return first;
  const fix = `name one of them model.onnx, or state it in a manifest.json: ${toExample(first)}`;
  return { field: "model.onnx", problem: `is missing, and there are ${graphs.join(", ")}; ${fix}` };
}

/** Weights of another kind, and how to make a graph of them; empty when there are none. */
function describeWeights(names: readonly string[], config: Fields): string {
  if (names.includes(OUR_WEIGHTS) && isOurs(config)) {
    // The command may write where it reads, and copies nothing then.
    const command = "sluice export <this folder> --output <this folder>";
    return `; ${OUR_WEIGHTS} cannot be served as it is, make a graph of it with: ${command}`;
  }
  const weights = names.find((name) => WEIGHTS.test(name));
  const command = "optimum-cli export onnx --model <this folder> <new folder>";
  return weights === undefined ? "" : `; ${weights} cannot be served, export it with: ${command}`;
}

function isOurs({ model_type: family, architectures }: Fields): boolean {
  const [first] = Array.isArray(architectures) ? architectures : [];
  return family === "bert" && OUR_ARCHITECTURES.has(first);
}

function toExample(path: string): string {
  const manifest = { schema: "sluice.model/v1", extends: "config.json", model: { path } };
  return JSON.stringify(manifest);
}
