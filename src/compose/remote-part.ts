import { asksEngines, listEngineUrls } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelRuntime } from "../core/ports/model-runtime.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { watchModels } from "../workers/model-watch.ts";
import type { RemoteModels } from "./remote.ts";

/** The part of the composition root that decides whether there are models elsewhere, and keeps an eye on them. */
export interface RemotePart {
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /** A runtime that starts those models too, once they are loaded. */
  extend(local: ModelRuntime): ModelRuntime;
  /** Loads what can be reached, and follows the rest from now on. Never rejects. */
  load(control: ModelControl): Promise<void>;
  stop(): Promise<void>;
}

export interface RemotePartSurroundings {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export function createRemotePart(config: Config, surroundings: RemotePartSurroundings): RemotePart {
  const isAsking = asksEngines(config);
  const { remote: configured } = config.models;
  // An engine runs what it has; asking others is a gateway's part.
  if (!isAsking && (configured.length === 0 || config.role === "engine")) return NOTHING_REMOTE;
  let models: RemoteModels | undefined;
  let stopWatch: () => Promise<void> = async () => {};
  return {
    drivers: [
      ...(isAsking ? [{ port: "engines", driver: listEngineUrls(config).join(", ") }] : []),
      ...(configured.length > 0
        ? [{ port: "remote", driver: configured.map(({ name }) => name).join(", ") }]
        : []),
    ],
    extend: (local) => ({
      start: (modelPackage) =>
        models?.owns(modelPackage) === true
          ? models.start(modelPackage)
          : local.start(modelPackage),
    }),
    load: async (control) => {
      const { clock, logger } = surroundings;
      const { createRemoteModels } = await import("./remote.ts");
      models = createRemoteModels(config, { clock, observer: observe(surroundings) });
      const watch = watchModels({
        source: models.source,
        control,
        clock,
        logger,
        intervalMs: config.engine.refreshMs,
      });
      stopWatch = watch.stop;
      await watch.first;
    },
    stop: async () => {
      await stopWatch();
      models?.close();
    },
  };
}

const NOTHING_REMOTE: RemotePart = {
  drivers: [],
  extend: (local) => local,
  load: async () => {},
  stop: async () => {},
};

function observe({ metrics, logger }: RemotePartSurroundings) {
  return {
    endpointChanged: (server: string, from: string, to: string) => {
      metrics.remoteServerChanged(server, to);
      logger.warn("A server that models run on changed.", { server, from, to });
    },
    attemptFinished: (server: string, durationMs: number, code: string | undefined) =>
      metrics.remoteAttempted(server, code ?? "ok", durationMs),
    retried: (server: string) => metrics.remoteRetried(server, "sent"),
    retryDenied: (server: string) => metrics.remoteRetried(server, "denied"),
  };
}
