import { Worker } from "node:worker_threads";
import { SluiceError } from "../../core/errors.ts";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";
import { decodeError, packBatch, unpackRows } from "./worker-protocol.ts";

/** How long a worker that was asked to end may take. Its batches are done by then, but it may still be loading. */
const CLOSE_TIMEOUT_MS = 30_000;

/** A batch on its way through the pool, with the promise of its caller. */
export interface BatchJob {
  readonly batch: readonly Int32Array[];
  /** How many times the worker that was running it died. */
  crashes: number;
  readonly resolve: (rows: readonly Float32Array[]) => void;
  readonly reject: (error: SluiceError) => void;
}

/** What a worker says about itself once it has loaded the model. */
export interface LoadedWorker {
  readonly description: string;
  readonly measuredRunMs: number;
}

/** What the pool wants to hear from a worker. */
export interface WorkerListener {
  /** A batch was answered, so there is room for another. */
  onAnswer(): void;
  /** The thread ended. `unanswered` are its batches, oldest first: only the first of them had begun. */
  onExit(unanswered: readonly BatchJob[], cause: unknown): void;
}

/** One thread with one loaded model. Keeps the process alive only while it loads or has batches. */
export class PooledWorker {
  /** Settles when the model is loaded, or rejects with the reason why it is not. */
  readonly loaded: Promise<LoadedWorker>;
  readonly #thread: Worker;
  readonly #listener: WorkerListener;
  readonly #jobs = new Map<number, BatchJob>();
  readonly #exited: Promise<void>;
  #nextBatchId = 0;
  #ready = false;
  #closing = false;
  #lastError: unknown;

  constructor(url: URL, setup: WorkerSetup, listener: WorkerListener) {
    this.#listener = listener;
    this.#thread = new Worker(url, { workerData: setup, name: "sluice-model" });
    const { promise, resolve, reject } = Promise.withResolvers<LoadedWorker>();
    this.loaded = promise;
    this.#exited = new Promise((settle) => {
      this.#thread.on("exit", (exitCode) => {
        this.#ready = false;
        const cause = this.#lastError ?? new Error(`The thread ended with exit code ${exitCode}.`);
        reject(new SluiceError("unavailable", "A model worker died while loading.", { cause }));
        settle();
        const unanswered = [...this.#jobs.values()];
        this.#jobs.clear();
        this.#listener.onExit(unanswered, cause);
      });
    });
    this.#thread.on("error", (error) => {
      this.#lastError = error;
    });
    this.#thread.on("message", (reply: WorkerReply) => {
      if (reply.kind === "loaded") this.#becomeReady(reply, resolve);
      else if (reply.kind === "loadFailed") reject(decodeError(reply.error));
      else this.#answer(reply);
    });
  }

  /** Batches that the thread holds; Infinity when it takes none because it is loading or gone. */
  get load(): number {
    return this.#ready ? this.#jobs.size : Number.POSITIVE_INFINITY;
  }

  /** Hands a batch over. Only while `load` is finite. */
  start(job: BatchJob): void {
    const batchId = this.#nextBatchId++;
    this.#jobs.set(batchId, job);
    this.#thread.ref();
    const packedIds = packBatch(job.batch);
    this.#send({ kind: "run", batchId, packedIds }, [packedIds.buffer]);
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
    this.#ready = false;
    this.#closing = true;
    this.#thread.ref();
    this.#send({ kind: "close" });
    const timedOut = Promise.withResolvers<void>();
    const timer = setTimeout(timedOut.resolve, CLOSE_TIMEOUT_MS);
    await Promise.race([this.#exited, timedOut.promise]);
    clearTimeout(timer);
    this.#thread.unref();
  }

  #becomeReady(reply: LoadedWorker, resolve: (loaded: LoadedWorker) => void): void {
    this.#ready = !this.#closing;
    if (this.#ready) this.#thread.unref();
    resolve({ description: reply.description, measuredRunMs: reply.measuredRunMs });
  }

  #answer(reply: Extract<WorkerReply, { batchId: number }>): void {
    const job = this.#jobs.get(reply.batchId);
    if (job === undefined) return;
    this.#jobs.delete(reply.batchId);
    if (this.#jobs.size === 0) this.#thread.unref();
    if (reply.kind === "rows") job.resolve(unpackRows(reply.logits, job.batch.length));
    else job.reject(decodeError(reply.error));
    this.#listener.onAnswer();
  }

  #send(request: WorkerRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread.postMessage(request, transfer);
  }
}
