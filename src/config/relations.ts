import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { findGraphProblems } from "./graph-problems.ts";
import { findModelSourceProblems } from "./model-source-problems.ts";
import type { Config } from "./schema.ts";

/** Where values came from, by path; what is not in it is a default. */
export type Origins = ReadonlyMap<string, ConfigSource>;

interface Bound {
  readonly path: string;
  readonly value: number;
  readonly limitPath: string;
  readonly limit: number;
}

/**
 * Problems between settings that are each fine alone.
 *
 * @param skip Paths whose value is already known to be wrong.
 */
export function findRelationProblems(
  config: Config,
  origins: Origins,
  skip: ReadonlySet<string> = new Set(),
): ConfigProblem[] {
  const bounds = listBounds(config)
    .filter(({ path, limitPath }) => !skip.has(path) && !skip.has(limitPath))
    .filter(({ value, limit }) => value > limit)
    .map(({ path, value, limitPath, limit }) => ({
      path,
      // The smaller setting may be a default while somebody set the limit below it.
      source: origins.get(path) ?? getSource(limitPath, origins),
      expected: `at most ${limitPath}, which is ${limit}`,
      found: String(value),
    }));
  const duplicates = findDuplicateKeys(config, origins);
  const graphs = findGraphProblems(config, getSource("graphs", origins));
  const sources = findModelSourceProblems(config, (path) => getSource(path, origins));
  return [...bounds, ...duplicates, ...graphs, ...sources];
}

/** The source of a value, `default` where no layer set it. */
export function getSource(path: string, origins: Origins): ConfigSource {
  return origins.get(path) ?? { kind: "default" };
}

function listBounds({ server, limits, batching, jobs, releases }: Config): Bound[] {
  return [
    {
      path: "releases.pollMs",
      value: releases.pollMs,
      limitPath: "releases.leaseMs",
      limit: releases.leaseMs,
    },
    {
      path: "jobs.leaseMs",
      value: jobs.leaseMs,
      limitPath: "jobs.stallMs",
      limit: jobs.stallMs,
    },
    {
      path: "server.headersTimeoutMs",
      value: server.headersTimeoutMs,
      limitPath: "server.requestTimeoutMs",
      limit: server.requestTimeoutMs,
    },
    {
      path: "limits.defaultDeadlineMs",
      value: limits.defaultDeadlineMs,
      limitPath: "limits.maxDeadlineMs",
      limit: limits.maxDeadlineMs,
    },
    {
      path: "batching.minBatchItems",
      // Without a wait it means nothing, and a small maxBatchItems must not need a second setting.
      value: batching.maxQueueDelayMs === 0 ? 0 : batching.minBatchItems,
      limitPath: "batching.maxBatchItems",
      limit: batching.maxBatchItems,
    },
  ];
}

function findDuplicateKeys({ auth }: Config, origins: Origins): ConfigProblem[] {
  const source = getSource("auth.keys", origins);
  return auth.keys.flatMap((key, index) => {
    const earlier = auth.keys.slice(0, index);
    const problems: ConfigProblem[] = [];
    if (earlier.some(({ id }) => id === key.id)) {
      const found = `${JSON.stringify(key.id)} a second time`;
      problems.push({ path: `auth.keys[${index}].id`, source, expected: "a different id", found });
    }
    const same = earlier.find(({ sha256 }) => sha256 === key.sha256);
    if (same !== undefined) {
      const found = `the one of ${JSON.stringify(same.id)}`;
      problems.push({ path: `auth.keys[${index}].sha256`, source, expected: "another key", found });
    }
    return problems;
  });
}
