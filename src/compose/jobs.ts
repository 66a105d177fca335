import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import { ResultCache } from "../core/inference/result-cache.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { JobService } from "../core/jobs/job-service.ts";
import { createJobService } from "../core/jobs/job-service.ts";
import type { JobStores } from "../core/jobs/submit-job.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { JobOptions } from "../gateway/gateway-options.ts";
import { createMemoryCacheStore } from "../stores/cache/memory.ts";
import { createRowSources } from "../stores/http/row-sources.ts";
import type { RecordDatabase } from "../stores/records/record-database.ts";
import { startJobSweeper } from "../workers/job-sweeper.ts";
import { startJobWorker } from "../workers/job-worker.ts";
import type { EventsPart } from "./events.ts";
import { Lazy } from "./lazy.ts";
import { createWorkQueue, describeQueue } from "./queue.ts";
import type { RecordsPart } from "./records-part.ts";

/** The part of the composition root that takes jobs and works on them. */

export interface JobsPart {
  /** For the gateway. */
  readonly options: JobOptions;
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /**
   * Goes on with the jobs that there are. Called once models are loaded.
   *
   * @throws SluiceError `unavailable` when the stores cannot be opened and `jobs.enabled` is `on`
   */
  start(): Promise<void>;
  /** Gives back what is being worked on. */
  stop(): Promise<void>;
}

export interface JobsSurroundings {
  readonly pipeline: InferencePipeline;
  readonly records: RecordsPart;
  readonly events: EventsPart;
  readonly logger: Logger;
}

/** @returns undefined where this process has nothing to do with jobs */
export function createJobsPart(
  config: Config,
  surroundings: JobsSurroundings,
): JobsPart | undefined {
  if (config.jobs.enabled === "off" || config.role === "engine") return undefined;
  const works = config.role !== "gateway";
  const jobs = new Lazy(() => openJobs(config, surroundings, works));
  const { records, events, logger } = surroundings;
  const { maxUploadBytes, receiveTimeoutMs, enabled, sources } = config.jobs;
  return {
    options: {
      service: toLazyService(async () => (await jobs.get()).service),
      maxUploadBytes,
      receiveTimeoutMs,
      sources: createRowSources({
        ...sources,
        maxBytes: maxUploadBytes,
        maxMs: receiveTimeoutMs,
      }),
      assertWebhookUrl: events.assertWebhookUrl,
    },
    drivers: [
      { port: "jobs", driver: records.description },
      { port: "queue", driver: describeQueue(config) },
    ],
    start: async () => {
      if (enabled === "on") {
        await jobs.get();
        return;
      }
      if (!works || records.isUntouched()) return;
      try {
        await jobs.get();
      } catch (thrown) {
        const reason = toSluiceError(thrown).message;
        logger.warn("Jobs are refused until their store can be opened.", { reason });
      }
    },
    stop: () => jobs.close(),
  };
}

function toLazyService(service: () => Promise<JobService>): JobService {
  return {
    submit: async (submission) => (await service()).submit(submission),
    find: async (owner, id) => (await service()).find(owner, id),
    list: async (owner, range) => (await service()).list(owner, range),
    cancel: async (owner, id) => (await service()).cancel(owner, id),
    retryFailed: async (owner, id) => (await service()).retryFailed(owner, id),
    remove: async (owner, id) => (await service()).remove(owner, id),
    results: async (owner, id) => (await service()).results(owner, id),
  };
}

/** Everything that jobs need, opened. */
interface OpenJobs {
  readonly service: JobService;
  close(): Promise<void>;
}

/**
 * Texts that come again and again in one file are answered once. In a cache of its own: a million rows would drive out what
 * callers ask.
 */
const JOB_CACHE_BYTES = 16 * 1024 * 1024;
const JOB_CACHE_TTL_MS = 300_000;

async function openJobs(
  config: Config,
  { pipeline, records, events, logger }: JobsSurroundings,
  works: boolean,
): Promise<OpenJobs> {
  const { clock } = pipeline;
  const epochMs = () => clock.epochMs();
  const stores = await createStores(config, await records.open(), { events, epochMs });
  const cacheStore = createMemoryCacheStore({ maxBytes: JOB_CACHE_BYTES });
  const cache = new ResultCache(cacheStore, JOB_CACHE_TTL_MS, { cacheFailed: () => {} });
  const limits = config.jobs;
  const shared = { ...stores, limits, logger };
  const worker = works
    ? startJobWorker({
        ...shared,
        pipeline: { ...pipeline, cache },
        defaultModel: config.models.defaultModel,
        concurrency: limits.concurrency,
        leaseMs: limits.leaseMs,
      })
    : undefined;
  const sweeper = works
    ? startJobSweeper({
        ...shared,
        clock,
        intervalMs: limits.sweepMs,
        stallMs: limits.stallMs,
      })
    : undefined;
  return {
    service: createJobService(stores, limits),
    close: async () => {
      await Promise.all([worker?.stop(), sweeper?.stop()]);
      await cacheStore.close();
      await stores.queue.close();
    },
  };
}

async function createStores(
  config: Config,
  database: RecordDatabase,
  { events, epochMs }: { readonly events: EventsPart; readonly epochMs: () => number },
): Promise<JobStores> {
  const [jobStore, chunkStore, outbox] = await Promise.all([
    import("../stores/records/job-store.ts"),
    import("../stores/records/job-chunk-store.ts"),
    import("../stores/records/event-outbox.ts"),
  ]);
  return {
    jobs: jobStore.createJobStore(database, outbox.appendEvents),
    chunks: chunkStore.createJobChunkStore(database),
    queue: await createWorkQueue(config, database, epochMs),
    events: events.jobs,
    epochMs,
  };
}
