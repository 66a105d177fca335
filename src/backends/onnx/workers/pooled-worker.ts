import type { Worker } from "node:worker_threads";
import { SluiceError, toSluiceError } from "../../../core/errors.ts";
import type { WorkCodec, WorkerReply, WorkerRequest, WorkerStart } from "./worker-protocol.ts";
import { decodeError } from "./worker-protocol.ts";

/** How long a worker that was asked to end may take. Its batches are done by then, but it may still be loading. */
const CLOSE_TIMEOUT_MS = 30_000;
/**
 * The time of a run is watched in parts. When the whole process stood still (a paused container, a blocked event loop),
 * the timer is late and the thread has had no time either: then one part is gone, not the patience with every worker.
 */
const WATCH_PARTS = 4;

/** A batch on its way through the pool, with the promise of its caller. */
export interface BatchJob<Input, Output> {
  readonly input: Input;
  /** How long its run may take before it counts as hung; 0 = for ever. */
  readonly timeoutMs: number;
  /** How many times the worker that was running it died or hung. */
  failures: number;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: SluiceError) => void;
}

/** What the pool wants to hear from a worker. */
export interface WorkerListener<Job> {
  /** A batch was answered, so there is room for another. */
  onAnswer(): void;
  /** The thread ended. `unanswered` are its batches, oldest first: only the first of them had begun. */
  onExit(unanswered: readonly Job[], cause: unknown): void;
  /** The run of the first of `unanswered` does not end. The thread is lost: it gives no more answers. */
  onHang(unanswered: readonly Job[]): void;
  /** A lost thread came back from its run after all, and has ended. */
  onReturn(): void;
}

/** The thread to start, and what it is about. */
export interface WorkerProgram<Input, Output> {
  /** Gives a thread that has started, or is about to, and waits for what to load. */
  readonly startThread: () => Worker;
  readonly setup: WorkerStart;
  /** What to try the model with, if its program needs something; the model is loaded while it is waited for. */
  readonly sample: Promise<unknown>;
  readonly codec: WorkCodec<Input, Output, unknown, never>;
}

/** One thread with one loaded model. Keeps the process alive only while it loads or has batches. */
export class PooledWorker<Input, Output, Loaded> {
  /** Settles when the model is loaded, or rejects with the reason why it is not. */
  readonly loaded: Promise<Loaded>;
  readonly #thread: Worker;
  readonly #codec: WorkerProgram<Input, Output>["codec"];
  readonly #listener: WorkerListener<BatchJob<Input, Output>>;
  readonly #jobs = new Map<number, BatchJob<Input, Output>>();
  readonly #exited: Promise<void>;
  #nextBatchId = 0;
  #state: "loading" | "ready" | "closing" | "lost" | "gone" = "loading";
  #hangTimer: NodeJS.Timeout | undefined;
  #lastError: unknown;

  constructor(
    { startThread, setup, sample, codec }: WorkerProgram<Input, Output>,
    listener: WorkerListener<BatchJob<Input, Output>>,
  ) {
    this.#codec = codec;
    this.#listener = listener;
    this.#thread = startThread();
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    this.loaded = promise;
    this.#exited = new Promise((settle) => {
      this.#thread.on("exit", (exitCode) => {
        const wasLost = this.#state === "lost";
        this.#state = "gone";
        clearTimeout(this.#hangTimer);
        const cause = this.#lastError ?? new Error(`The thread ended with exit code ${exitCode}.`);
        reject(new SluiceError("unavailable", "A model worker died while loading.", { cause }));
        settle();
        if (wasLost) this.#listener.onReturn();
        else this.#listener.onExit(this.#takeJobs(), cause);
      });
    });
    this.#thread.on("error", (error) => {
      this.#lastError = error;
    });
    this.#thread.on("message", (reply: WorkerReply<Loaded, never>) => {
      if (reply.kind === "loaded") this.#becomeReady(reply.loaded, resolve);
      else if (reply.kind === "loadFailed") this.#failLoading(decodeError(reply.error), reject);
      else this.#answer(reply);
    });
    this.#send({ kind: "load", setup });
    sample.then(
      (found) => this.#send({ kind: "try", sample: found }),
      (error: unknown) => this.#failLoading(toSluiceError(error), reject),
    );
  }

  /** Batches that the thread holds; Infinity when it takes none because it is loading or gone. */
  get load(): number {
    return this.#state === "ready" ? this.#jobs.size : Number.POSITIVE_INFINITY;
  }

  /** Whether the thread takes batches, or may soon. */
  get isPromising(): boolean {
    return this.#state === "ready" || this.#state === "loading";
  }

  /** Hands a batch over. Only while `load` is finite. */
  start(job: BatchJob<Input, Output>): void {
    const batchId = this.#nextBatchId++;
    this.#jobs.set(batchId, job);
    if (this.#jobs.size === 1) {
      this.#thread.ref();
      this.#watchRun(job);
    }
    const { packed, transfer } = this.#codec.pack(job.input);
    this.#send({ kind: "run", batchId, packed }, transfer);
  }

  /**
   * Lets the thread free its model and end; a thread that is still loading finishes that first. Only when it has no
   * batches left.
   *
   * `Worker.terminate()` would not wait, but it must never reach a thread that is inside ONNX Runtime: the library's
   * binding then throws where nobody can catch it, and the whole process dies. So a thread that does not end in time
   * is left alone; it no longer keeps the process alive.
   */
  async close(): Promise<void> {
    this.#state = this.#state === "gone" ? "gone" : "closing";
    this.#thread.ref();
    this.#send({ kind: "close" });
    const timedOut = Promise.withResolvers<void>();
    const timer = setTimeout(timedOut.resolve, CLOSE_TIMEOUT_MS);
    await Promise.race([this.#exited, timedOut.promise]);
    clearTimeout(timer);
    this.#thread.unref();
  }

  #becomeReady(loaded: Loaded, resolve: (loaded: Loaded) => void): void {
    if (this.#state === "loading") {
      this.#state = "ready";
      this.#thread.unref();
    }
    resolve(loaded);
  }

  #failLoading(error: SluiceError, reject: (error: SluiceError) => void): void {
    if (this.#state === "loading") this.#state = "closing";
    reject(error);
  }

  #answer(reply: Extract<WorkerReply<Loaded, never>, { batchId: number }>): void {
    const job = this.#jobs.get(reply.batchId);
    // The late answer of a run that was given up.
    if (job === undefined) return;
    this.#jobs.delete(reply.batchId);
    clearTimeout(this.#hangTimer);
    const [next] = this.#jobs.values();
    if (next === undefined) this.#thread.unref();
    else this.#watchRun(next);
    if (reply.kind === "done") job.resolve(this.#codec.unpack(reply.packed, job.input));
    else job.reject(decodeError(reply.error));
    this.#listener.onAnswer();
  }

  /** The run of a batch begins now: the thread takes them in order. */
  #watchRun({ timeoutMs }: BatchJob<Input, Output>): void {
    if (timeoutMs === 0) return;
    let partsLeft = WATCH_PARTS;
    const watchPart = () => {
      if (partsLeft-- === 0) {
        this.#abandon();
        return;
      }
      this.#hangTimer = setTimeout(watchPart, timeoutMs / WATCH_PARTS);
      this.#hangTimer.unref();
    };
    watchPart();
  }

  /** A run that hangs may hang for ever, and its thread must not be terminated (see `close`), so both are left behind. */
  #abandon(): void {
    this.#state = "lost";
    this.#thread.unref();
    this.#send({ kind: "close" });
    this.#listener.onHang(this.#takeJobs());
  }

  #takeJobs(): readonly BatchJob<Input, Output>[] {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    return jobs;
  }

  #send(request: WorkerRequest<unknown>, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread.postMessage(request, transfer);
  }
}
