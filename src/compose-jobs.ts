import { existsSync } from "node:fs";
import type { Config } from "./config/schema.ts";
import { toSluiceError } from "./core/errors.ts";
import { ResultCache } from "./core/inference/result-cache.ts";
import type { InferencePipeline } from "./core/inference/run-inference.ts";
import { NO_JOB_EVENTS } from "./core/jobs/job-events.ts";
import type { JobService } from "./core/jobs/job-service.ts";
import { createJobService } from "./core/jobs/job-service.ts";
import type { JobStores } from "./core/jobs/submit-job.ts";
import type { Logger } from "./core/ports/logger.ts";
import type { JobOptions } from "./gateway/gateway-options.ts";
import { createMemoryCacheStore } from "./stores/cache/memory.ts";
import type { RecordDatabase } from "./stores/records/record-database.ts";
import { startJobSweeper } from "./workers/job-sweeper.ts";
import { startJobWorker } from "./workers/job-worker.ts";

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
  /** Gives back what is being worked on, and closes the stores. */
  stop(): Promise<void>;
}

export interface JobsSurroundings {
  readonly pipeline: InferencePipeline;
  readonly logger: Logger;
}

/** @returns undefined where this process has nothing to do with jobs */
export function createJobsPart(
  config: Config,
  surroundings: JobsSurroundings,
): JobsPart | undefined {
  if (config.jobs.enabled === "off" || config.role === "engine") return undefined;
  const works = config.role !== "gateway";
  const jobs = new LazyJobs(() => openJobs(config, surroundings, works));
  const { maxUploadBytes, receiveTimeoutMs, enabled } = config.jobs;
  return {
    options: { service: jobs.service, maxUploadBytes, receiveTimeoutMs },
    drivers: [{ port: "jobs", driver: describe(config) }],
    start: async () => {
      if (enabled === "on") {
        await jobs.open();
        return;
      }
      if (!works || isUntouched(config)) return;
      try {
        await jobs.open();
      } catch (thrown) {
        const reason = toSluiceError(thrown).message;
        surroundings.logger.warn("Jobs are refused until their store can be opened.", { reason });
      }
    },
    stop: () => jobs.close(),
  };
}

/** A laptop that never saw a job has no file, and needs none. */
function isUntouched({ records: { store } }: Config): boolean {
  return store.driver === "sqlite" && !existsSync(store.path);
}

function describe({ records: { store } }: Config): string {
  return store.driver === "sqlite" ? `SQLite, ${store.path}` : "PostgreSQL";
}

/** Everything that jobs need, opened. */
interface OpenJobs {
  readonly service: JobService;
  close(): Promise<void>;
}

/** Opens the stores when they are first needed, and again after an attempt that failed. */
class LazyJobs {
  readonly service: JobService;
  readonly #open: () => Promise<OpenJobs>;
  #opening: Promise<OpenJobs> | undefined;
  #isClosed = false;

  constructor(open: () => Promise<OpenJobs>) {
    this.#open = open;
    const service = async () => (await this.open()).service;
    this.service = {
      submit: async (submission) => (await service()).submit(submission),
      find: async (owner, id) => (await service()).find(owner, id),
      list: async (owner, range) => (await service()).list(owner, range),
      cancel: async (owner, id) => (await service()).cancel(owner, id),
      retryFailed: async (owner, id) => (await service()).retryFailed(owner, id),
      remove: async (owner, id) => (await service()).remove(owner, id),
      results: async (owner, id) => (await service()).results(owner, id),
    };
  }

  open(): Promise<OpenJobs> {
    if (this.#opening === undefined) {
      const opening = this.#open();
      this.#opening = opening;
      opening.catch(() => {
        this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }
}

/**
 * Texts that come again and again in one file are answered once. In a cache of its own: a million rows would drive out what
 * callers ask.
 */
const JOB_CACHE_BYTES = 16 * 1024 * 1024;
const JOB_CACHE_TTL_MS = 300_000;

async function openJobs(
  config: Config,
  { pipeline, logger }: JobsSurroundings,
  works: boolean,
): Promise<OpenJobs> {
  const { clock } = pipeline;
  const epochMs = () => clock.epochMs();
  const { migrateRecords, openRecordDatabase } = await import("./compose-records.ts");
  const database = await openRecordDatabase(config);
  try {
    const applied = await migrateRecords(database, epochMs);
    if (applied.length > 0) logger.info("The record database was brought up to date.", { applied });
    const stores = await createStores(config, database, epochMs);
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
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function createStores(
  config: Config,
  database: RecordDatabase,
  epochMs: () => number,
): Promise<JobStores> {
  const [{ createJobStore }, { createJobChunkStore }, { createTableWorkQueue }] = await Promise.all(
    [
      import("./stores/records/job-store.ts"),
      import("./stores/records/job-chunk-store.ts"),
      import("./stores/records/work-queue-table.ts"),
    ],
  );
  return {
    jobs: createJobStore(database, async () => {}),
    chunks: createJobChunkStore(database),
    queue: createTableWorkQueue(database, { ...config.queue.store, epochMs }),
    events: NO_JOB_EVENTS,
    epochMs,
  };
}
