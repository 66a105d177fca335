import type { Worker } from "node:worker_threads";
import { SluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { formatCount } from "../describe-figures.ts";
import { predictRunMs } from "../placement/fit-cost.ts";
import type { WorkerFate } from "./decide-failure.ts";
import { decideHangTimeoutMs, isWorthAnotherTry, isWorthReplacing } from "./decide-failure.ts";
import type { BatchJob } from "./pooled-worker.ts";
import { PooledWorker } from "./pooled-worker.ts";
import type { LoadedModel, WorkerSetup } from "./worker-protocol.ts";
import { WorkerSeat } from "./worker-seat.ts";

/** Two, so that the next batch is already there when a run ends. */
export const SLOTS_PER_WORKER = 2;

export interface WorkerPoolOptions {
  readonly setup: Omit<WorkerSetup, "isAwaited">;
  /** Typical texts to warm up and measure with; at least one. The model is loaded while they are waited for. */
  readonly warmup: Promise<readonly EncodedText[]>;
  /** Time after which a run counts as hung, unless it is predicted to take long; 0 = never. */
  readonly hangTimeoutMs: number;
  /** Where the threads come from. */
  readonly startThread: () => Worker;
}

/** Threads that run batches. */
export interface WorkerPool {
  /** What the first worker found out. */
  readonly loaded: LoadedModel;
  /**
   * Adds workers, loaded one after the other, until there are `workers`. Settles when each has loaded or failed to; one
   * that failed is tried again like one that died. Never rejects.
   */
  grow(workers: number): Promise<void>;
  /** See `Backend.run`. More batches than slots wait inside. */
  run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]>;
  /** See `Backend.close`. */
  close(): Promise<void>;
}

/**
 * Starts one worker and waits until it has loaded the model: the first answer need not wait for all of them, and
 * loading is fastest with the processor to itself. From then on a worker that dies or hangs is replaced; the batch that
 * it was running is run once more on another, and fails with `unavailable` when that one fails too. Batches wait for a
 * replacement, and fail with `unavailable` when there is none to come.
 *
 * @throws SluiceError the reason why the worker cannot load; its thread is gone then.
 */
export async function createWorkerPool(options: WorkerPoolOptions): Promise<WorkerPool> {
  const pool = new Pool(options);
  try {
    const loaded = await pool.start();
    return {
      loaded,
      grow: (workers) => pool.grow(workers),
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
  readonly #seats: WorkerSeat[] = [];
  readonly #waiting: BatchJob[] = [];
  readonly #unsettled = new Set<Promise<unknown>>();
  /** Workers are replaced only between the first load and the end. */
  #replacesWorkers = false;
  #lostThreads = 0;
  #loaded: LoadedModel | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  async start(): Promise<LoadedModel> {
    this.#loaded = await this.#addSeat().bringIn();
    this.#replacesWorkers = true;
    return this.#loaded;
  }

  async grow(workers: number): Promise<void> {
    while (this.#seats.length < workers && this.#closing === undefined) {
      await this.#addSeat()
        .bringIn()
        .catch(() => {});
    }
  }

  async run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]> {
    if (this.#closing !== undefined) {
      throw new SluiceError("unavailable", "The model is being unloaded.");
    }
    if (this.#isForsaken()) throw this.#toNoWorkerError(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<readonly Float32Array[]>();
    this.#unsettled.add(promise);
    const timeoutMs = this.#toTimeoutMs(batch);
    this.#waiting.push({ batch, timeoutMs, failures: 0, resolve, reject });
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
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  #addSeat(): WorkerSeat {
    const { startThread, setup, warmup } = this.#options;
    const seat = new WorkerSeat(
      (listener) =>
        new PooledWorker(
          startThread(),
          { ...setup, isAwaited: this.#loaded === undefined },
          warmup,
          listener,
        ),
      {
        onRoom: () => this.#dispatch(),
        onFailure: (unanswered, fate, cause) => this.#takeBack(unanswered, fate, cause),
        onLoadFailure: (error) => {
          if (!this.#seats.some((other) => other.isPromising)) this.#failWaiting(error);
        },
        onReturn: () => this.#welcomeBack(),
        isReplacing: () => this.#replacesWorkers && isWorthReplacing(this.#lostThreads),
      },
    );
    this.#seats.push(seat);
    return seat;
  }

  /** Gives waiting batches, oldest first, to the worker with the fewest. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const seat = this.#findFreeSeat();
      if (seat === undefined) break;
      const job = this.#waiting.shift();
      if (job !== undefined) seat.start(job);
    }
    if (this.#waiting.length > 0 && this.#isForsaken()) this.#failWaiting(undefined);
    for (const seat of this.#seats) seat.keepAlive(this.#waiting.length > 0);
  }

  #findFreeSeat(): WorkerSeat | undefined {
    let best: WorkerSeat | undefined;
    let leastLoad = SLOTS_PER_WORKER;
    for (const seat of this.#seats) {
      const { load } = seat;
      if (load >= leastLoad) continue;
      best = seat;
      leastLoad = load;
    }
    return best;
  }

  /** Puts the batches of a lost worker back in front. Only the first had begun, so only that one can be to blame. */
  #takeBack(unanswered: readonly BatchJob[], fate: WorkerFate, cause: unknown): void {
    if (fate === "hung") this.#lostThreads++;
    const [begun, ...untouched] = unanswered;
    this.#waiting.unshift(...untouched);
    if (begun === undefined) return;
    begun.failures++;
    if (isWorthAnotherTry(fate, begun.failures, this.#lostThreads)) {
      this.#waiting.unshift(begun);
      return;
    }
    const message = `Running this batch failed ${formatCount(begun.failures, "time")}; the last time its worker ${fate}.`;
    begun.reject(new SluiceError("unavailable", message, { cause }));
  }

  /** A thread that was lost has ended, so places that were given up get another chance. */
  #welcomeBack(): void {
    this.#lostThreads--;
    if (!this.#replacesWorkers || !isWorthReplacing(this.#lostThreads)) return;
    for (const seat of this.#seats) if (seat.isForsaken) seat.scheduleRestart();
  }

  #failWaiting(cause: unknown): void {
    for (const job of this.#waiting.splice(0)) job.reject(this.#toNoWorkerError(cause));
  }

  /** No worker is there and none will come. */
  #isForsaken(): boolean {
    return !isWorthReplacing(this.#lostThreads) && this.#seats.every((seat) => seat.isForsaken);
  }

  #toNoWorkerError(cause: unknown): SluiceError {
    const message = this.#isForsaken()
      ? `${this.#lostThreads} runs of this model never ended, so no more are started; restart the server.`
      : "The model has no running worker.";
    return new SluiceError("unavailable", message, { cause });
  }

  #toTimeoutMs(batch: readonly EncodedText[]): number {
    if (this.#loaded === undefined) return 0;
    let longest = 0;
    for (const { ids } of batch) longest = Math.max(longest, ids.length);
    const predictedMs = predictRunMs(this.#loaded.cost, batch.length, longest);
    return decideHangTimeoutMs(this.#options.hangTimeoutMs, predictedMs);
  }
}
