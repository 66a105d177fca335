import type { Config } from "./schema.ts";

/**
 * The configuration as this process has it in its role. Engines and workers listen where nobody but their own kind looks for
 * them, and leave to gateways what must happen once: counting callers and remembering results.
 */
export function toRoleConfig(config: Config): Config {
  if (config.role !== "engine" && config.role !== "worker") return config;
  const { host, port } = config[config.role];
  const closed = (listen: Config["grpc"]["listen"]) => (listen === "auto" ? "off" : listen);
  return {
    ...config,
    server: { ...config.server, host, port },
    grpc: { ...config.grpc, listen: closed(config.grpc.listen) },
    tensorflowServing: {
      ...config.tensorflowServing,
      listen: closed(config.tensorflowServing.listen),
    },
    rateLimit: { ...config.rateLimit, requests: 0 },
    // A job's texts seldom come twice, and would drive out what callers ask again.
    cache: { ...config.cache, store: { driver: "none" } },
    // Gateways ask for what an engine says it has.
    models: config.role === "engine" ? { ...config.models, loadOnDemand: [] } : config.models,
    jobs: config.role === "engine" ? { ...config.jobs, enabled: "off" } : config.jobs,
  };
}

/** Whether this process asks engines, and has no models of its own. */
export function asksEngines({ role }: Pick<Config, "role">): boolean {
  return role === "gateway" || role === "worker";
}

/** The engines that are asked. */
export function listEngineUrls({ engine: { urls, port } }: Config): readonly string[] {
  return urls.length > 0 ? urls : [`http://127.0.0.1:${port}`];
}
