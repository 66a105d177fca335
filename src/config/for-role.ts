import type { Config } from "./schema.ts";

/**
 * The configuration as this process has it in its role. An engine listens where gateways look for it, and leaves to them
 * what must happen once: counting callers and remembering results.
 */
export function toRoleConfig(config: Config): Config {
  if (config.role !== "engine") return config;
  const { host, port } = config.engine;
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
    cache: { ...config.cache, store: { driver: "none" } },
  };
}

/** The engines that a gateway asks. */
export function listEngineUrls({ engine: { urls, port } }: Config): readonly string[] {
  return urls.length > 0 ? urls : [`http://127.0.0.1:${port}`];
}
