import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./read-environment.ts";
import { FILE_ENVIRONMENT_NAME, readEnvironment } from "./read-environment.ts";
import type { FileChoice } from "./read-file.ts";
import { findDefaultFile, readFileLayer } from "./read-file.ts";
import type { Flags } from "./read-flags.ts";
import { FILE_FLAG, readFlags } from "./read-flags.ts";
import { findRelationProblems } from "./relations.ts";
import { resolveLayers } from "./resolve-layers.ts";
import type { Config } from "./schema.ts";
import { SETTINGS } from "./setting-list.ts";

/** Where the configuration comes from. */
export interface LoadOptions {
  /** YAML file to read; it must exist. Goes before `--config` and `SLUICE_CONFIG`. */
  readonly file?: string;
  /** Folder in which `sluice.yaml` is looked for when no file is named. Default: the working directory. */
  readonly directory?: string;
  readonly env: Environment;
  readonly flags: Flags;
}

/** The configuration and what is known about it. */
export interface LoadedConfig {
  readonly config: Config;
  /** Where each value came from that some layer set, by path such as `cache.store.maxBytes`. */
  readonly origins: ReadonlyMap<string, ConfigSource>;
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

/**
 * Loads the configuration: defaults, under the YAML file, under the environment, under the flags.
 *
 * @throws ConfigError with every mistake of every layer.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const choice = chooseFile(options);
  const layers = [
    ...(choice === undefined ? [] : [readFileLayer(choice)]),
    readEnvironment(options.env),
    readFlags(options.flags),
  ];
  const { values, origins, problems } = resolveLayers(layers);
  const config = buildConfig(values);
  const found = [...layers.flatMap((layer) => layer.problems), ...problems];
  const all = [...found, ...findRelationProblems(config, origins, toPaths(found))];
  if (all.length > 0) throw new ConfigError(all);
  return { config, origins, file: choice?.file };
}

function chooseFile({ file, directory, env, flags }: LoadOptions): FileChoice | undefined {
  if (file !== undefined) return { file, source: { kind: "file", file } };
  const ofFlag = flags[FILE_FLAG] ?? flags[`--${FILE_FLAG}`];
  if (ofFlag !== undefined) {
    return { file: ofFlag, source: { kind: "flag", name: `--${FILE_FLAG}` } };
  }
  const ofEnvironment = env[FILE_ENVIRONMENT_NAME];
  if (ofEnvironment !== undefined) {
    return { file: ofEnvironment, source: { kind: "environment", name: FILE_ENVIRONMENT_NAME } };
  }
  return findDefaultFile(directory ?? ".");
}

/** Paths of settings with a problem; their values are defaults for now and say nothing about relations. */
function toPaths(problems: readonly ConfigProblem[]): ReadonlySet<string> {
  return new Set(problems.map(({ path }) => path.replace(/\[.*$/, "")));
}

/** Puts the values into their nested shape, in the order of the schema, and freezes it. */
function buildConfig(values: ReadonlyMap<string, unknown>): Config {
  const config: Record<string, unknown> = {};
  for (const { path } of SETTINGS) {
    if (!values.has(path)) continue;
    const parts = path.split(".");
    const key = parts.pop() ?? path;
    let group = config;
    for (const part of parts) {
      group[part] ??= {};
      group = group[part] as Record<string, unknown>;
    }
    group[key] = structuredClone(values.get(path));
  }
  // Every value was checked against the same schema that the type is derived from.
  return deepFreeze(config) as unknown as Config;
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
