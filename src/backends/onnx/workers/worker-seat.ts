import type { WorkerFate } from "./decide-failure.ts";
import type { BatchJob, PooledWorker, WorkerListener } from "./pooled-worker.ts";
import { decideRestartDelayMs } from "./restart-delay.ts";

/** A worker that lived this long after loading starts its seat's count of failures anew. */
const QUIET_MS = 10_000;

/** What the pool wants to hear from a seat, and what it decides for it. */
export interface SeatListener<Job> {
  /** There is room for another batch. */
  onRoom(): void;
  /** The worker is gone. `unanswered` are its batches, oldest first: only the first of them had begun. */
  onFailure(unanswered: readonly Job[], fate: WorkerFate, cause: unknown): void;
  /** A replacement could not be loaded; there will be another attempt if `isReplacing` says so. */
  onLoadFailure(error: unknown): void;
  /** A thread that was lost has ended after all. */
  onReturn(): void;
  isReplacing(): boolean;
}

type CreateWorker<Input, Output, Loaded> = (
  listener: WorkerListener<BatchJob<Input, Output>>,
) => PooledWorker<Input, Output, Loaded>;

/** A place for one worker; outlives the workers in it and brings in the next one when one fails. */
export class WorkerSeat<Input, Output, Loaded> {
  readonly #createWorker: CreateWorker<Input, Output, Loaded>;
  readonly #listener: SeatListener<BatchJob<Input, Output>>;
  #worker: PooledWorker<Input, Output, Loaded> | undefined;
  #loadedAtMs = 0;
  /** Failures without a quiet time in between. */
  #failuresInARow = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(
    createWorker: CreateWorker<Input, Output, Loaded>,
    listener: SeatListener<BatchJob<Input, Output>>,
  ) {
    this.#createWorker = createWorker;
    this.#listener = listener;
  }

  /** Batches that the worker holds; Infinity when none can be given. */
  get load(): number {
    return this.#worker?.load ?? Number.POSITIVE_INFINITY;
  }

  /** Whether a worker is there or being loaded. */
  get isPromising(): boolean {
    return this.#worker?.isPromising ?? false;
  }

  /** Whether nobody is there and nobody will come. */
  get isForsaken(): boolean {
    return this.#worker === undefined && this.#restartTimer === undefined;
  }

  /** Hands a batch over. Only while `load` is finite. */
  start(job: BatchJob<Input, Output>): void {
    this.#worker?.start(job);
  }

  /** @throws SluiceError why the model could not be loaded */
  async bringIn(): Promise<Loaded> {
    const worker = this.#createWorker({
      onAnswer: () => this.#listener.onRoom(),
      onExit: (unanswered, cause) => this.#replace(worker, unanswered, "died", cause),
      onHang: (unanswered) => this.#replace(worker, unanswered, "hung", undefined),
      onReturn: () => this.#listener.onReturn(),
    });
    this.#worker = worker;
    const loaded = await worker.loaded;
    this.#loadedAtMs = performance.now();
    this.#listener.onRoom();
    return loaded;
  }

  /** Brings in a new worker: at once after the first failure, later and later after more. */
  scheduleRestart(): void {
    const lifeMs = this.#loadedAtMs === 0 ? 0 : performance.now() - this.#loadedAtMs;
    this.#failuresInARow = lifeMs > QUIET_MS ? 1 : this.#failuresInARow + 1;
    this.#loadedAtMs = 0;
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      this.bringIn().catch((error: unknown) => this.#listener.onLoadFailure(error));
    }, decideRestartDelayMs(this.#failuresInARow));
  }

  /** A pending restart keeps the process alive exactly when somebody waits for it. */
  keepAlive(isWaitedFor: boolean): void {
    if (isWaitedFor) this.#restartTimer?.ref();
    else this.#restartTimer?.unref();
  }

  /** Only when the worker has no batches left. */
  async close(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    await this.#worker?.close();
  }

  #replace(
    worker: PooledWorker<Input, Output, Loaded>,
    unanswered: readonly BatchJob<Input, Output>[],
    fate: WorkerFate,
    cause: unknown,
  ): void {
    if (this.#worker === worker) this.#worker = undefined;
    this.#listener.onFailure(unanswered, fate, cause);
    if (this.#listener.isReplacing()) this.scheduleRestart();
    this.#listener.onRoom();
  }
}
