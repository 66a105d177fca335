import type { Assignment, Layer } from "./assignment.ts";
import type { ConfigProblem } from "./config-error.ts";
import { SETTINGS } from "./setting-list.ts";
import { suggest } from "./suggest.ts";

/** Name of the environment variable that names the configuration file. */
export const FILE_ENVIRONMENT_NAME = "SLUICE_CONFIG";

/** Environment variables by name; what main passes in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, with a problem for each `SLUICE_` name that nothing reads. */
export function readEnvironment(env: Environment): Layer {
  const assignments: Assignment[] = [];
  const known = new Set([FILE_ENVIRONMENT_NAME]);
  for (const { path, environmentNames } of SETTINGS) {
    if (environmentNames.some((name) => known.has(name))) continue;
    for (const name of environmentNames) known.add(name);
    const name = environmentNames.find((candidate) => isGiven(candidate, env[candidate]));
    if (name === undefined) continue;
    assignments.push({
      path,
      value: env[name],
      isText: true,
      source: { kind: "environment", name },
    });
  }
  const problems = Object.keys(env)
    .filter((name) => name.startsWith("SLUICE_") && !known.has(name) && isGiven(name, env[name]))
    .map((name) => createUnknownNameProblem(name, [...known]));
  return { assignments, problems };
}

function isGiven(name: string, value: string | undefined): boolean {
  return value !== undefined && !isServiceLink(name, value);
}

/**
 * Kubernetes describes every service of a namespace to every container in the style of Docker links. Beside a
 * service called `sluice`, that puts `SLUICE_PORT=tcp://10.0.0.1:80` and a dozen more names into our environment.
 */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$/.test(name) ||
    (name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

function createUnknownNameProblem(name: string, known: readonly string[]): ConfigProblem {
  const similar = suggest(name, known);
  return {
    path: "",
    source: { kind: "environment", name },
    expected: "the environment name of a setting",
    found: "an unknown one",
    ...(similar === undefined ? {} : { advice: `Did you mean ${similar}?` }),
  };
}
