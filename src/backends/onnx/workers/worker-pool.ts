import { SluiceError } from "../../../core/errors.ts";
import { formatCount } from "../describe-figures.ts";
import type { WorkerFate } from "./decide-failure.ts";
import { decideHangTimeoutMs, isWorthAnotherTry, isWorthReplacing } from "./decide-failure.ts";
import type { BatchJob, WorkerProgram } from "./pooled-worker.ts";
import { PooledWorker } from "./pooled-worker.ts";
import { WorkerSeat } from "./worker-seat.ts";

/** Two, so that the next batch is already there when a run ends. */
export const SLOTS_PER_WORKER = 2;

export interface WorkerPoolOptions<Input, Output, Loaded> {
  /** The threads' program; whether somebody waits for one, each is told by itself. */
  readonly program: Omit<WorkerProgram<Input, Output>, "setup"> & {
    readonly setup: Omit<WorkerProgram<Input, Output>["setup"], "isAwaited">;
  };
  /** Time after which a run counts as hung, unless it is predicted to take long; 0 = never. */
  readonly hangTimeoutMs: number;
  /** Which of two workers' findings to go by: the later one's may be better, because nothing disturbed it. */
  readonly prefer: (known: Loaded, later: Loaded) => Loaded;
  /** How long a run of `input` should take, in milliseconds. */
  readonly predictRunMs: (input: Input, loaded: Loaded) => number;
}

/** Threads that run batches. */
export interface WorkerPool<Input, Output, Loaded> {
  /** What the workers found out; another object when a later one found better. */
  readonly loaded: Loaded;
  /**
   * Adds workers, loaded one after the other, until there are `workers`. Settles when each has loaded or failed to; one
   * that failed is tried again like one that died. Never rejects.
   */
  grow(workers: number): Promise<void>;
  /** Runs one batch on one of them. More batches than slots wait inside. */
  run(input: Input): Promise<Output>;
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
export async function createWorkerPool<Input, Output, Loaded>(
  options: WorkerPoolOptions<Input, Output, Loaded>,
): Promise<WorkerPool<Input, Output, Loaded>> {
  const pool = new Pool<Input, Output, Loaded>(options);
  try {
    const first = await pool.start();
    return {
      get loaded() {
        return pool.loaded ?? first;
      },
      grow: (workers) => pool.grow(workers),
      run: (input) => pool.run(input),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class Pool<Input, Output, Loaded> {
  readonly #options: WorkerPoolOptions<Input, Output, Loaded>;
  readonly #seats: WorkerSeat<Input, Output, Loaded>[] = [];
  readonly #waiting: BatchJob<Input, Output>[] = [];
  readonly #unsettled = new Set<Promise<unknown>>();
  /** Workers are replaced only between the first load and the end. */
  #replacesWorkers = false;
  #lostThreads = 0;
  #loaded: Loaded | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions<Input, Output, Loaded>) {
    this.#options = options;
  }

  get loaded(): Loaded | undefined {
    return this.#loaded;
  }

  async start(): Promise<Loaded> {
    this.#loaded = await this.#addSeat().bringIn();
    this.#replacesWorkers = true;
    return this.#loaded;
  }

  async grow(workers: number): Promise<void> {
    while (this.#seats.length < workers && this.#closing === undefined) {
      const later = await this.#addSeat()
        .bringIn()
        .catch(() => undefined);
      if (later === undefined || this.#loaded === undefined) continue;
      this.#loaded = this.#options.prefer(this.#loaded, later);
    }
  }

  async run(input: Input): Promise<Output> {
    if (this.#closing !== undefined) {
      throw new SluiceError("unavailable", "The model is being unloaded.");
    }
    if (this.#isForsaken()) throw this.#toNoWorkerError(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<Output>();
    this.#unsettled.add(promise);
    const timeoutMs = this.#toTimeoutMs(input);
    this.#waiting.push({ input, timeoutMs, failures: 0, resolve, reject });
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

  #addSeat(): WorkerSeat<Input, Output, Loaded> {
    const { program } = this.#options;
    const seat: WorkerSeat<Input, Output, Loaded> = new WorkerSeat(
      (listener) => {
        const setup = { ...program.setup, isAwaited: this.#loaded === undefined };
        return new PooledWorker<Input, Output, Loaded>({ ...program, setup }, listener);
      },
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

  #findFreeSeat(): WorkerSeat<Input, Output, Loaded> | undefined {
    let best: WorkerSeat<Input, Output, Loaded> | undefined;
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
  #takeBack(
    unanswered: readonly BatchJob<Input, Output>[],
    fate: WorkerFate,
    cause: unknown,
  ): void {
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

  #toTimeoutMs(input: Input): number {
    const { hangTimeoutMs, predictRunMs } = this.#options;
    if (this.#loaded === undefined) return 0;
    return decideHangTimeoutMs(hangTimeoutMs, predictRunMs(input, this.#loaded));
  }
}
