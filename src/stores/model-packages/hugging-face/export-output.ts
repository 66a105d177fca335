import type { FieldProblem } from "../../../core/errors.ts";
import type { TextManifest } from "../../../core/models/manifest.ts";
import type { Fields } from "../is-record.ts";
import { isRecord, toFields } from "../is-record.ts";
import type { HuggingFaceExport } from "./hugging-face-export.ts";

type Pooling = TextManifest["output"]["pooling"];

/** The names that sentence-transformers has for the two ways of pooling that are served. */
const SERVED: Readonly<Record<string, Pooling>> = {
  mean: "mean",
  mean_tokens: "mean",
  cls: "cls",
  cls_token: "cls",
};
const MODE_PREFIX = "pooling_mode_";
/** Steps of `modules.json` that are done here, and one that does nothing but in training. */
const SERVED_MODULES: ReadonlySet<string> = new Set([
  "Transformer",
  "Pooling",
  "Normalize",
  "Dropout",
]);

const WAY_OUT =
  'export the model with this step in the graph and state "output": {"name": "sentence_embedding", "pooling": "none"} ' +
  "in a manifest.json that extends config.json";

/** A step of `modules.json`. */
interface Module {
  /** Last part of its type, such as `Pooling`. */
  readonly kind: string;
  /** Folder of its configuration. */
  readonly path: string;
}

/** The steps that `modules.json` lists; none when there is no such file or it says something else. */
export function parseModules(modules: unknown): readonly Module[] {
  if (!Array.isArray(modules)) return [];
  return modules.filter(isRecord).map(({ type, path }) => ({
    kind: typeof type === "string" ? (type.split(".").at(-1) ?? "") : "",
    path: typeof path === "string" ? path : "",
  }));
}

/**
 * How the vectors of the tokens become the vector of the text. A plain transformer, about which nobody says anything,
 * is served with the mean at length 1, as most of them are used.
 */
export function toEmbeddingOutput(
  files: HuggingFaceExport,
  problems: FieldProblem[],
): Omit<TextManifest["output"], "name"> {
  const modules = parseModules(files.modules);
  for (const { kind } of modules) {
    if (SERVED_MODULES.has(kind)) continue;
    problems.push({
      field: "modules.json",
      problem: `has a step ${kind}, which is not served; ${WAY_OUT}`,
    });
  }
  const normalize = modules.length === 0 || modules.some(({ kind }) => kind === "Normalize");
  return { pooling: toPooling(files, modules, problems), normalize };
}

function toPooling(
  { pooling }: HuggingFaceExport,
  modules: readonly Module[],
  problems: FieldProblem[],
): Pooling {
  if (pooling === undefined) {
    if (modules.length === 0) return "mean";
    const step = modules.find(({ kind }) => kind === "Pooling");
    const field = `${step?.path || "1_Pooling"}/config.json`;
    problems.push({
      field,
      problem: "is missing; without it nobody knows how tokens become one vector",
    });
    return "mean";
  }
  const modes = toModes(pooling);
  const [mode = ""] = modes;
  const served = modes.length === 1 && Object.hasOwn(SERVED, mode) ? SERVED[mode] : undefined;
  if (served !== undefined) return served;
  const found = modes.length === 0 ? "none" : modes.join(" with ");
  problems.push({
    field: "pooling mode",
    problem: `must be mean or cls; found ${found}; ${WAY_OUT}`,
  });
  return "mean";
}

/** Older versions write one flag for each mode, newer ones `pooling_mode` with one name or several. */
function toModes(pooling: Fields): readonly string[] {
  const stated = pooling["pooling_mode"];
  if (typeof stated === "string") return [stated];
  if (Array.isArray(stated)) return stated.map(toName);
  return Object.keys(toFields(pooling))
    .filter((key) => key.startsWith(MODE_PREFIX) && pooling[key] === true)
    .map((key) => key.slice(MODE_PREFIX.length));
}

/** What is no name is shown as it stands in the file. */
function toName(mode: unknown): string {
  return typeof mode === "string" ? mode : JSON.stringify(mode);
}
