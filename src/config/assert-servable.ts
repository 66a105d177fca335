import type { ConfigProblem } from "./config-error.ts";
import { ConfigError } from "./config-error.ts";
import { isLoopbackHost } from "./loopback-host.ts";
import type { Origins } from "./relations.ts";
import { getSource } from "./relations.ts";
import type { Config } from "./schema.ts";

const NO_ORIGINS: Origins = new Map();

/**
 * Whether callers must present a key. A server that `auth.allowAnonymous` opens still wants one as soon as keys
 * are configured, unless `auth.required` says never.
 */
export function isKeyRequired(config: Config): boolean {
  const { required, keys, allowAnonymous } = config.auth;
  if (required !== "auto") return required === "always";
  if (isLoopbackHost(config.server.host)) return false;
  return !allowAnonymous || keys.length > 0;
}

/**
 * Refuses a configuration that would serve strangers by accident, or that nobody could use.
 *
 * Not part of loading: commands such as `sluice keys create` must run while there is no key yet.
 *
 * @throws ConfigError that names the way out.
 */
export function assertSafeExposure(config: Config, origins: Origins = NO_ORIGINS): void {
  throwIfAny(findExposureProblems(config, origins));
}

/**
 * Refuses several replicas with stores that each of them would have for itself: limits would multiply and answers
 * would depend on the replica.
 *
 * @throws ConfigError that names each such store.
 */
export function assertSharedStores(config: Config, origins: Origins = NO_ORIGINS): void {
  throwIfAny(findStoreProblems(config, origins));
}

/**
 * Everything that must hold before the server may start, reported together.
 *
 * @throws ConfigError
 */
export function assertServable(config: Config, origins: Origins = NO_ORIGINS): void {
  throwIfAny([
    ...findExposureProblems(config, origins),
    ...findStoreProblems(config, origins),
    ...findFaultProblems(config, origins),
  ]);
}

function findExposureProblems(config: Config, origins: Origins): ConfigProblem[] {
  const { auth, server } = config;
  if (isKeyRequired(config)) {
    if (auth.keys.length > 0) return [];
    const isPublic = !isLoopbackHost(server.host);
    const advice = isPublic
      ? "Create one with `sluice keys create`, or set server.host to 127.0.0.1. To serve everybody who can reach it, set auth.allowAnonymous to true."
      : "Create one with `sluice keys create`, or set auth.required to auto.";
    const expected = isPublic
      ? `at least one key, because server.host ${server.host} is reachable from other machines`
      : "at least one key, because auth.required is always";
    return [
      {
        path: "auth.keys",
        source: getSource("auth.keys", origins),
        expected,
        found: "none",
        advice,
      },
    ];
  }
  if (isLoopbackHost(server.host) || auth.allowAnonymous) return [];
  return [
    {
      path: "auth.required",
      source: getSource("auth.required", origins),
      expected: `auto or always, because server.host ${server.host} is reachable from other machines`,
      found: auth.required,
      advice:
        "Create a key with `sluice keys create` and remove this setting, or set server.host to 127.0.0.1. To serve everybody who can reach it, set auth.allowAnonymous to true.",
    },
  ];
}

/** Faults on purpose belong to servers that nobody depends on, unless somebody says otherwise and who may make them. */
function findFaultProblems({ server, faults }: Config, origins: Origins): ConfigProblem[] {
  if (faults.enabled === "off" || isLoopbackHost(server.host)) return [];
  if (!faults.allowPublic) {
    return [
      {
        path: "faults.enabled",
        source: getSource("faults.enabled", origins),
        expected: `off, because server.host ${server.host} is reachable from other machines`,
        found: "on",
        advice:
          "Set server.host to 127.0.0.1. To delay and abort requests of those who depend on this server, set faults.allowPublic to true.",
      },
    ];
  }
  if (faults.operators.length > 0) return [];
  return [
    {
      path: "faults.operators",
      source: getSource("faults.operators", origins),
      expected: `at least one id of a key, because server.host ${server.host} is reachable from other machines`,
      found: "none",
      advice: "Name the keys of auth.keys that may set faults.",
    },
  ];
}

function findStoreProblems(config: Config, origins: Origins): ConfigProblem[] {
  if (config.replicas === 1) return [];
  const stores = [
    {
      path: "rateLimit.store.driver",
      driver: config.rateLimit.store.driver,
      idle: "rateLimit.requests to 0",
      isIdle: config.rateLimit.requests === 0,
    },
    {
      path: "cache.store.driver",
      driver: config.cache.store.driver,
      idle: "it to none",
      isIdle: false,
    },
    {
      path: "records.store.driver",
      driver: config.records.store.driver,
      idle: "jobs.enabled to off",
      isIdle: config.jobs.enabled === "off",
    },
    {
      path: "vectors.store.driver",
      driver: config.vectors.store.driver,
      idle: "vectors.enabled to off",
      isIdle: config.vectors.enabled === "off",
    },
  ];
  return stores
    .filter(({ driver, isIdle }) => (driver === "memory" || driver === "sqlite") && !isIdle)
    .map(({ path, driver, idle }) => ({
      path,
      source: getSource(path, origins),
      expected: `a store that all ${config.replicas} replicas share`,
      found: `${driver}, which each has for itself`,
      advice: `Choose a driver that is shared, set replicas to 1, or set ${idle}.`,
    }));
}

function throwIfAny(problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) throw new ConfigError(problems);
}
