import type { FieldProblem } from "../../../core/errors.ts";
import type { Fields } from "../is-record.ts";
import { isRecord } from "../is-record.ts";
import { createPackageError, readJsonFile, readNames, readStart } from "../package-files.ts";
import { parseModules } from "./export-output.ts";
import { findModelFile } from "./find-model-file.ts";
import type { HuggingFaceExport } from "./hugging-face-export.ts";
import { parseModelCard } from "./model-card.ts";

/** The metadata of a model card is at its start; what comes behind this is not looked at. */
const MAX_CARD_BYTES = 64 * 1024;
/** A folder right below the export, so that a configuration cannot point outside it. */
const FOLDER = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** A folder in the layout of Hugging Face, as it was found. */
export interface FoundExport {
  readonly files: HuggingFaceExport;
  /** SHA-256 by path of every file that decides what the model answers, but for tokenizer and graph. */
  readonly digests: ReadonlyMap<string, string>;
  /** The graph; undefined when none was found, which is then among the problems. */
  readonly modelPath: string | undefined;
  readonly problems: readonly FieldProblem[];
}

/**
 * Reads the small files of an export in `folder`.
 *
 * @throws SluiceError `invalid_argument` when one of them cannot be read or is no JSON
 */
export async function readExport(folder: string): Promise<FoundExport> {
  const names = await readNames(folder, "");
  const digests = new Map<string, string>();
  const readJson = async (path: string): Promise<unknown> => {
    const { value, sha256 } = await readJsonFile(folder, path);
    digests.set(path, sha256);
    return value;
  };
  const readIfThere = async (name: string): Promise<Fields | undefined> =>
    names.includes(name) ? toObject(await readJson(name), name) : undefined;
  const [config, tokenizerConfig, sentenceBertConfig, modules, readme] = await Promise.all([
    readJson("config.json").then((value) => toObject(value, "config.json")),
    readIfThere("tokenizer_config.json"),
    readIfThere("sentence_bert_config.json"),
    names.includes("modules.json") ? readJson("modules.json") : undefined,
    names.includes("README.md") ? readStart(folder, "README.md", MAX_CARD_BYTES) : "",
  ]);
  const pooling = await readPooling(folder, modules, readJson);
  const found = findModelFile(names, await readNames(folder, "onnx"), config);
  const problems: FieldProblem[] = [];
  if (!names.includes("tokenizer.json")) {
    const fix = "export it with tokenizer.save_pretrained(...) of a fast tokenizer";
    problems.push({ field: "tokenizer.json", problem: `is missing; ${fix}` });
  }
  if (typeof found !== "string") problems.push(found);
  const card = parseModelCard(readme);
  return {
    files: { config, tokenizerConfig, sentenceBertConfig, modules, pooling, card },
    digests,
    modelPath: typeof found === "string" ? found : undefined,
    problems,
  };
}

async function readPooling(
  folder: string,
  modules: unknown,
  readJson: (path: string) => Promise<unknown>,
): Promise<Fields | undefined> {
  const step = parseModules(modules).find(({ kind }) => kind === "Pooling");
  const below = step?.path || "1_Pooling";
  if (!FOLDER.test(below)) {
    throw createPackageError(
      `modules.json points to ${JSON.stringify(below)}, which is no folder of the export.`,
    );
  }
  const names = await readNames(folder, below);
  const path = `${below}/config.json`;
  return names.includes("config.json") ? toObject(await readJson(path), path) : undefined;
}

function toObject(value: unknown, path: string): Fields {
  if (isRecord(value)) return value;
  throw createPackageError(`${path} must be a JSON object.`);
}
