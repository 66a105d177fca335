import { randomBytes, randomUUID } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import { createJobId } from "../core/jobs/job-id.ts";
import type { ModelChange } from "../core/models/registry.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { MetricsSource } from "../core/ports/metrics-source.ts";
import type { StoredRelease } from "../core/ports/release-store.ts";
import type { VersionHealth } from "../core/releases/advance-release.ts";
import { createEvidenceSources } from "../core/releases/gather-evidence.ts";
import type { ReleaseService } from "../core/releases/release-service.ts";
import { createReleaseService, readReadiness } from "../core/releases/release-service.ts";
import { startByItself } from "../core/releases/start-by-itself.ts";
import type { ReleaseOptions } from "../gateway/gateway-options.ts";
import { createReleaseHooks } from "../stores/events/release-hooks.ts";
import { startReleaseController } from "../workers/release-controller.ts";
import { startReleaseFollower } from "../workers/release-follower.ts";
import type { EventsPart } from "./events.ts";
import type { EvidencePart } from "./evidence.ts";
import { Lazy } from "./lazy.ts";
import type { RecordsPart } from "./records-part.ts";
import { readReleasePlans } from "./release-plans.ts";

/** The part of the composition root that lets new versions go live. */

export interface ReleasesPart {
  /** For the gateway. */
  readonly options: ReleaseOptions;
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /**
   * Goes on with the releases that there are. Called once models are loaded, and before anybody is answered.
   *
   * @throws SluiceError `unavailable` when the store cannot be opened and `releases.enabled` is `on`
   */
  start(): Promise<void>;
  /** Hears of models that come and go: what comes may be released by itself. Never waits, never throws. */
  modelChanged(change: ModelChange): void;
  /** Stops deciding, so that another process can. */
  stop(): Promise<void>;
}

export interface ReleasesSurroundings {
  readonly pipeline: InferencePipeline;
  readonly records: RecordsPart;
  readonly events: EventsPart;
  /** Undefined where nobody asks this process directly. */
  readonly evidence: EvidencePart | undefined;
  readonly logger: Logger;
}

/** @returns undefined where this process divides no traffic: engines answer for the version that they are asked */
export function createReleasesPart(
  config: Config,
  surroundings: ReleasesSurroundings,
): ReleasesPart | undefined {
  const { enabled, operators } = config.releases;
  const { evidence } = surroundings;
  if (enabled === "off" || evidence === undefined) return undefined;
  const { records, logger } = surroundings;
  const hooks = createReleaseHooks({
    ...config.releases,
    secrets: config.releases.hookSecrets,
    epochMs: () => surroundings.pipeline.clock.epochMs(),
  });
  const releases = new Lazy(() => openReleases(config, { ...surroundings, evidence }, hooks));
  const { registry } = surroundings.pipeline;
  const plans = readReleasePlans(config, registry, hooks.assertAddresses);
  const beginByItself = async (model: string, version: string) => {
    try {
      const { service } = await releases.get();
      const done = await startByItself(model, version, { service, registry, ...plans });
      if (done !== "nothing") logger.info(`A release was ${done} by itself.`, { model, version });
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      const fields = { model, version, reason };
      logger.warn("A new version is not released; it waits to be named.", fields);
    }
  };
  let isStarted = false;
  const open = async () => {
    try {
      await releases.get();
    } catch (thrown) {
      if (enabled === "on") throw thrown;
      const reason = toSluiceError(thrown).message;
      logger.warn("Releases are not followed until their store can be opened.", { reason });
    }
  };
  let stopWaiting = () => {};
  return {
    options: {
      service: toLazyService(async () => (await releases.get()).service),
      operators,
      assertHooks: hooks.assertAddresses,
      fieldsOf: plans.fieldsOf,
    },
    drivers: [{ port: "releases", driver: records.description }],
    start: async () => {
      if (enabled === "on" || !records.isUntouched()) await open();
      // Another process of this server may start the first release.
      else stopWaiting = records.onTouched(() => void open());
      isStarted = true;
    },
    modelChanged: ({ model, version, state }) => {
      // What was there at the start is taken as it is.
      if (!isStarted || state !== "ready" || config.models.newVersions !== "release") return;
      void beginByItself(model, version);
    },
    stop: async () => {
      stopWaiting();
      isStarted = false;
      await releases.close();
    },
  };
}

function toLazyService(service: () => Promise<ReleaseService>): ReleaseService {
  return {
    start: async (plan, by) => (await service()).start(plan, by),
    find: async (id) => (await service()).find(id),
    list: async (range) => (await service()).list(range),
    history: async (id, limit) => (await service()).history(id, limit),
    command: async (id, command) => (await service()).command(id, command),
  };
}

/** Everything that releases need, opened. */
interface OpenReleases {
  readonly service: ReleaseService;
  close(): Promise<void>;
}

async function openReleases(
  config: Config,
  surroundings: ReleasesSurroundings & { readonly evidence: EvidencePart },
  hooks: ReturnType<typeof createReleaseHooks>,
): Promise<OpenReleases> {
  const { pipeline, records, events, evidence, logger } = surroundings;
  const { clock, registry, releases: traffic } = pipeline;
  const { pollMs, leaseMs, keepFinished } = config.releases;
  const [{ createReleaseStore }, { appendEvents }] = await Promise.all([
    import("../stores/records/release-store.ts"),
    import("../stores/records/event-outbox.ts"),
  ]);
  const store = createReleaseStore(await records.open(), appendEvents);
  const epochMs = () => clock.epochMs();
  const replica = randomUUID();
  const shared = { store, clock, logger, replica, pollMs };
  const follower = startReleaseFollower({ ...shared, registry, traffic });
  const evidenceStore = await evidence.openStore();
  const metrics = await createMetricsSource(config);
  const controller = startReleaseController({
    ...shared,
    ...{ leaseMs, keepFinished },
    epochMs,
    readHealth: (release) => readHealth(release, pipeline),
    askHooks: hooks.ask,
    evidence: createEvidenceSources({
      ...{ pipeline, store: evidenceStore, releases: store, metrics, logger },
    }),
    toOutgoing: events.releases,
    decided: (release, event) => {
      hooks.tell(release, event);
      const { model, message, phase } = event;
      const fields = { release: event.releaseId, model, phase };
      if (event.type === "Warning") logger.warn(message, fields);
      else logger.info(message, fields);
      // This process routes by it at once; others look by themselves.
      void follower.look();
    },
  });
  // Nobody is answered by a table that is not there yet.
  await follower.look();
  return {
    service: createReleaseService({
      ...{ store, registry, traffic, clock, toOutgoing: events.releases },
      sources: {
        hasMetrics: metrics !== undefined,
        hasGateSet: async (name) => (await evidenceStore.findGateSet(name)) !== undefined,
      },
      createId: () => createJobId(epochMs(), randomBytes(16)).replace("job_", "rel_"),
      changed: () => void controller.look(),
    }),
    close: async () => {
      hooks.close();
      await controller.stop();
      await follower.stop();
    },
  };
}

/** @returns undefined where the configuration names none */
async function createMetricsSource({ releases }: Config): Promise<MetricsSource | undefined> {
  const { metricsUrl: url, metricsToken: token, metricsTimeoutMs: timeoutMs } = releases;
  if (url === "") return undefined;
  const { createPrometheusSource } = await import("../stores/metrics-source/prometheus.ts");
  return createPrometheusSource({ url, token, timeoutMs });
}

const GONE = "it was unloaded, since its package is gone or somebody wanted it";

function readHealth(
  { state }: StoredRelease,
  { registry }: Pick<InferencePipeline, "registry">,
): VersionHealth {
  const { model, candidate } = state;
  const found = registry.list().find((one) => one.model === model && one.version === candidate);
  const ready = readReadiness(registry, state);
  const isFailed = found?.state === "failed";
  if (isFailed) return { ready, candidateFailure: found.reason ?? "it failed" };
  // What has answered and goes does not come back by itself; a model that is put away as a whole may.
  const isGone = found?.state === "draining" || found?.state === "unloaded";
  const isLost = isGone && ready.stable && state.phase !== "initializing";
  return { ready, candidateFailure: isLost ? GONE : null };
}
