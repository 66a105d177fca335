import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Yaml from "yaml";
import type { Assignment, Layer } from "./assignment.ts";
import { createUnknownProblem, EMPTY_LAYER } from "./assignment.ts";
import { isRecord } from "./check-value.ts";
import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { configSchema } from "./schema.ts";
import type { RootSchema, SectionSchema, ValueSchema } from "./setting.ts";
import { isDriverChoice, isSection } from "./setting-list.ts";

/** Name of the file that is read when no other is named. */
export const DEFAULT_FILE = "sluice.yaml";

/** Who named the file. Without a name, `sluice.yaml` is read if it exists. */
export interface FileChoice {
  readonly file: string;
  readonly source: ConfigSource;
}

/** Path of the default file in `directory`, or undefined when there is none. */
export function findDefaultFile(directory: string): FileChoice | undefined {
  const file = join(directory, DEFAULT_FILE);
  return existsSync(file) ? { file, source: { kind: "file", file } } : undefined;
}

/** What a YAML file says, with a problem for each syntax error and each name that no setting has. */
export function readFileLayer(choice: FileChoice): Layer {
  let content: string;
  try {
    content = readFileSync(choice.file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    const found = `${code} for ${JSON.stringify(choice.file)}`;
    const { source } = choice;
    return { ...EMPTY_LAYER, problems: [{ path: "", source, expected: "a readable file", found }] };
  }
  return parseConfigFile(choice.file, content);
}

/** Same as `readFileLayer` for content that is already in memory; `file` is only for messages. */
export function parseConfigFile(file: string, content: string): Layer {
  // Loaded here because most commands and tests have no file; required, so that loading stays synchronous.
  const yaml: typeof Yaml = createRequire(import.meta.url)("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const toSource = (offset: number | undefined): ConfigSource => {
    if (offset === undefined) return { kind: "file", file };
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file, line, column: col };
  };
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    const problems = mistakes.map(({ message, pos }): ConfigProblem => {
      const found = `an error: ${message.replace(/[.\s]+$/, "")}`;
      return { path: "", source: toSource(pos[0]), expected: "valid YAML", found };
    });
    return { ...EMPTY_LAYER, problems };
  }
  const walk = new FileWalk((path) => toSource(findOffset(yaml, document.contents, path)));
  try {
    walk.visitGroup(configSchema, document.toJS(), "");
  } catch (error) {
    // Aliases are followed here, not before: one may lead nowhere, or to far more than was written.
    const found = `an error: ${error instanceof Error ? error.message : String(error)}`;
    walk.problems.push({ path: "", source: toSource(undefined), expected: "valid YAML", found });
  }
  return walk;
}

/** Takes the values of a parsed file apart into assignments. */
class FileWalk implements Layer {
  readonly assignments: Assignment[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly #locate: (path: string) => ConfigSource;

  constructor(locate: (path: string) => ConfigSource) {
    this.#locate = locate;
  }

  visitGroup(schema: RootSchema | SectionSchema, value: unknown, path: string): void {
    for (const [key, child] of this.#readKeys(value, path)) {
      const childPath = path === "" ? key : `${path}.${key}`;
      const own = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
      if (own === undefined) this.#refuseName(childPath);
      else if (isDriverChoice(own)) this.#visitDriver(own.anyOf, child, childPath);
      else if (isSection(own)) this.visitGroup(own, child, childPath);
      else this.#assign(childPath, child);
    }
  }

  #visitDriver(drivers: readonly ValueSchema[], value: unknown, path: string): void {
    for (const [key, child] of this.#readKeys(value, path)) {
      const isKnown = drivers.some((driver) => Object.hasOwn(driver.properties ?? {}, key));
      if (isKnown) this.#assign(`${path}.${key}`, child);
      else this.#refuseName(`${path}.${key}`);
    }
  }

  /** A group without anything under it, as commenting all of it out leaves it, is an empty group. */
  #readKeys(value: unknown, path: string): [string, unknown][] {
    if (value === null || value === undefined) return [];
    if (isRecord(value)) return Object.entries(value);
    const found = Array.isArray(value) ? "a list" : JSON.stringify(value);
    this.problems.push({
      path,
      source: this.#locate(path),
      expected: "a group of settings",
      found,
    });
    return [];
  }

  #refuseName(path: string): void {
    this.problems.push(createUnknownProblem(path, this.#locate(path), (similar) => similar));
  }

  #assign(path: string, value: unknown): void {
    const locate = this.#locate;
    this.assignments.push({ path, value, isText: false, source: locate(path), locate });
  }
}

/** Offset of the key or list element that `path` names, or of its nearest parent that is there. */
function findOffset(yaml: typeof Yaml, contents: unknown, path: string): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const part of path.split(/\.|\[|\]\.?/).filter((name) => name !== "")) {
    if (yaml.isMap(node)) {
      const pair = node.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === part);
      if (pair === undefined || !yaml.isScalar(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (yaml.isSeq(node)) {
      node = node.items[Number(part)];
      if (yaml.isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
