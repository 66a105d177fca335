import { SluiceError } from "../../core/errors.ts";
import type { Backend } from "../../core/ports/backend.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";
import type { BatchJob, LoadedWorker } from "./pooled-worker.ts";
import { PooledWorker } from "./pooled-worker.ts";
import { decideRestartDelayMs } from "./restart-delay.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Two, so that the next batch is already there when a run ends. */
const SLOTS_PER_WORKER = 2;
/** A batch whose worker died is run once more; when that worker dies too, the batch is to blame. */
const MAX_CRASHES_PER_BATCH = 2;
/** A worker that lived this long after loading starts its seat's count of crashes anew. */
const QUIET_MS = 10_000;

export interface WorkerPoolOptions {
  readonly setup: WorkerSetup;
  /** Number of threads; at least 1. */
  readonly workers: number;
  /** Program of the threads; `worker-main.ts` unless a test brings its own. */
  readonly workerUrl?: URL;
}

/** All of a backend but its description, for which the pool gives what its workers reported when they started. */
export interface WorkerPool extends Omit<Backend, "description"> {
  readonly loadedWorkers: readonly LoadedWorker[];
}

/** A place for one worker; outlives the workers in it. */
interface Seat {
  worker: PooledWorker | undefined;
  loadedAtMs: number;
  /** Crashes without a quiet time in between. */
  crashesInARow: number;
  restartTimer: NodeJS.Timeout | undefined;
}

/**
 * Starts all workers at the same time and waits until every one has loaded the model. From then on a worker that
 * dies is replaced; the batch that it was running is run once more on another, and fails with `unavailable` when that
 * one dies too. Batches wait for a replacement, and fail with `unavailable` when the last one cannot be loaded.
 *
 * @throws SluiceError the reason of the first worker that cannot load; all threads are gone then.
 */
export async function createWorkerPool(options: WorkerPoolOptions): Promise<WorkerPool> {
  const pool = new Pool(options);
  try {
    const loadedWorkers = await pool.start();
    return {
      slots: options.workers * SLOTS_PER_WORKER,
      loadedWorkers,
      run: (batch) => pool.run(batch),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class Pool {
  readonly #options: WorkerPoolOptions;
  readonly #seats: readonly Seat[];
  readonly #waiting: BatchJob[] = [];
  readonly #unsettled = new Set<Promise<unknown>>();
  /** Dead workers are replaced only between a complete start and the end. */
  #replacesWorkers = false;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#seats = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      loadedAtMs: 0,
      crashesInARow: 0,
      restartTimer: undefined,
    }));
  }

  async start(): Promise<readonly LoadedWorker[]> {
    const loadedWorkers = await Promise.all(this.#seats.map((seat) => this.#loadWorker(seat)));
    this.#replacesWorkers = true;
    return loadedWorkers;
  }

  async run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]> {
    if (this.#closing !== undefined) {
      throw new SluiceError("unavailable", "The model is being unloaded.");
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly Float32Array[]>();
    this.#unsettled.add(promise);
    this.#waiting.push({ batch: batch.map(({ ids }) => ids), crashes: 0, resolve, reject });
    this.#dispatch();
    try {
      return await promise;
    } finally {
      this.#unsettled.delete(promise);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    await Promise.allSettled(this.#unsettled);
    this.#replacesWorkers = false;
    for (const seat of this.#seats) clearTimeout(seat.restartTimer);
    await Promise.all(this.#seats.map((seat) => seat.worker?.close()));
  }

  async #loadWorker(seat: Seat): Promise<LoadedWorker> {
    const url = this.#options.workerUrl ?? new URL("./worker-main.ts", import.meta.url);
    const worker = new PooledWorker(url, this.#options.setup, {
      onAnswer: () => this.#dispatch(),
      onExit: (unanswered, cause) => this.#replaceWorker(seat, unanswered, cause),
    });
    seat.worker = worker;
    const loaded = await worker.loaded;
    seat.loadedAtMs = performance.now();
    this.#dispatch();
    return loaded;
  }

  /** Gives waiting batches, oldest first, to the worker with the fewest. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#findFreeWorker();
      if (worker === undefined) break;
      const job = this.#waiting.shift();
      if (job !== undefined) worker.start(job);
    }
    // A pending restart keeps the process alive exactly when somebody waits for it.
    for (const { restartTimer } of this.#seats) {
      if (this.#waiting.length > 0) restartTimer?.ref();
      else restartTimer?.unref();
    }
  }

  #findFreeWorker(): PooledWorker | undefined {
    let best: PooledWorker | undefined;
    let leastLoad = SLOTS_PER_WORKER;
    for (const { worker } of this.#seats) {
      if (worker === undefined || worker.load >= leastLoad) continue;
      best = worker;
      leastLoad = worker.load;
    }
    return best;
  }

  #replaceWorker(seat: Seat, unanswered: readonly BatchJob[], cause: unknown): void {
    seat.worker = undefined;
    this.#takeBack(unanswered, cause);
    if (!this.#replacesWorkers) return;
    const lifeMs = seat.loadedAtMs === 0 ? 0 : performance.now() - seat.loadedAtMs;
    seat.crashesInARow = lifeMs > QUIET_MS ? 1 : seat.crashesInARow + 1;
    seat.loadedAtMs = 0;
    seat.restartTimer = setTimeout(() => {
      seat.restartTimer = undefined;
      this.#loadWorker(seat).catch((error: unknown) => this.#giveUpWaiting(error));
    }, decideRestartDelayMs(seat.crashesInARow));
    this.#dispatch();
  }

  /** Puts the batches of a dead worker back in front. Only the first had begun, so only that one can be to blame. */
  #takeBack(unanswered: readonly BatchJob[], cause: unknown): void {
    const [begun, ...untouched] = unanswered;
    this.#waiting.unshift(...untouched);
    if (begun === undefined) return;
    begun.crashes++;
    if (begun.crashes < MAX_CRASHES_PER_BATCH) {
      this.#waiting.unshift(begun);
      return;
    }
    const message = `The model worker died ${begun.crashes} times while running this batch.`;
    begun.reject(new SluiceError("unavailable", message, { cause }));
  }

  /** A replacement could not be loaded. Without any other worker, nobody knows when there will be one. */
  #giveUpWaiting(cause: unknown): void {
    if (this.#seats.some(({ worker }) => worker !== undefined && worker.load !== Infinity)) return;
    for (const job of this.#waiting.splice(0)) {
      job.reject(new SluiceError("unavailable", "The model has no running worker.", { cause }));
    }
  }
}
