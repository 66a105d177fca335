import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertServable } from "../../src/config/assert-servable.ts";
import type { ConfigProblem } from "../../src/config/config-error.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { toRoleConfig } from "../../src/config/for-role.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { SETTINGS, toEnvironmentName } from "../../src/config/setting-list.ts";
import { parseDockerfile, parsePairs } from "./dockerfile.ts";

/** Settings that files of `deploy/` name before they exist here. Nothing is forgiven once this is empty. */
export const PENDING_SETTINGS: readonly string[] = [
  "cache.store.driver",
  "cache.store.url",
  "rateLimit.store.driver",
  "rateLimit.store.url",
  "queue.store.driver",
  "queue.store.url",
  "vectors.store.driver",
  "vectors.store.url",
  "events.natsUrl",
];

/** What a server is started with. */
export interface Deployment {
  readonly env: Readonly<Record<string, string>>;
  /** Text of its `sluice.yaml`, if it has one. */
  readonly yaml?: string;
}

/** The configuration, or what is wrong with it beside settings that are pending. */
export interface DeployedConfig {
  /** Undefined when it has a mistake, or names a pending setting. */
  readonly config: Config | undefined;
  readonly mistakes: readonly string[];
  /** Pending settings that it names. */
  readonly pending: readonly string[];
}

/** Reads a configuration as the server would at its start, up to whether it may serve with it. */
export function readDeployedConfig({ env, yaml }: Deployment): DeployedConfig {
  const folder = mkdtempSync(join(tmpdir(), "sluice-deployed-"));
  try {
    writeFileSync(join(folder, "sluice.yaml"), yaml ?? "");
    const { config: stated, origins } = loadConfig({ directory: folder, env, flags: {} });
    const config = toRoleConfig(stated);
    assertServable(config, origins);
    return { config, mistakes: [], pending: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems } = error;
    const mistakes = problems.filter((problem) => toPending(problem) === undefined).map(toText);
    const pending = problems.flatMap((problem) => toPending(problem) ?? []);
    return { config: undefined, mistakes, pending };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the image puts into the environment of every server. */
export function readImageEnvironment(): Readonly<Record<string, string>> {
  const path = fileURLToPath(new URL("../../deploy/docker/Dockerfile", import.meta.url));
  const instructions = parseDockerfile(readFileSync(path, "utf8"));
  const last = Math.max(...instructions.map(({ stage }) => stage));
  const ofLast = instructions.filter(({ name, stage }) => name === "ENV" && stage === last);
  return Object.assign({}, ...ofLast.map(({ text }) => parsePairs(text)));
}

function toPending(problem: ConfigProblem): string | undefined {
  const { path, source } = problem;
  return PENDING_SETTINGS.find((pending) =>
    path === ""
      ? source.kind === "environment" && source.name === toEnvironmentName(pending)
      : pending === path || (pending.startsWith(`${path}.`) && !isKnownGroup(path)),
  );
}

function isKnownGroup(path: string): boolean {
  return SETTINGS.some((setting) => setting.path.startsWith(`${path}.`));
}

function toText({ path, source, expected, found }: ConfigProblem): string {
  const place = source.kind === "environment" ? source.name : source.kind;
  return `${path} (${place}): expected ${expected}, found ${found}`;
}
