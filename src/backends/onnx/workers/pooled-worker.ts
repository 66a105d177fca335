import type { Worker } from "node:worker_threads";
import { SluiceError, toSluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { LoadedModel, WorkerReply, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";
import { decodeError, packBatch, unpackRows } from "./worker-protocol.ts";

/** How long a worker that was asked to end may take. Its batches are done by then, but it may still be loading. */
const CLOSE_TIMEOUT_MS = 30_000;
/**
 * The time of a run is watched in parts. When the whole process stood still (a paused container, a blocked event loop),
 * the timer is late and the thread has had no time either: then one part is gone, not the patience with every worker.
 */
const WATCH_PARTS = 4;

/** A batch on its way through the pool, with the promise of its caller. */
export interface BatchJob {
  readonly batch: readonly EncodedText[];
  /** How long its run may take before it counts as hung; 0 = for ever. */
  readonly timeoutMs: number;
  /** How many times the worker that was running it died or hung. */
  failures: number;
  readonly resolve: (rows: readonly Float32Array[]) => void;
  readonly reject: (error: SluiceError) => void;
}

/** What the pool wants to hear from a worker. */
export interface WorkerListener {
  /** A batch was answered, so there is room for another. */
  onAnswer(): void;
  /** The thread ended. `unanswered` are its batches, oldest first: only the first of them had begun. */
  onExit(unanswered: readonly BatchJob[], cause: unknown): void;
  /** The run of the first of `unanswered` does not end. The thread is lost: it gives no more answers. */
  onHang(unanswered: readonly BatchJob[]): void;
  /** A lost thread came back from its run after all, and has ended. */
  onReturn(): void;
}

/** One thread with one loaded model. Keeps the process alive only while it loads or has batches. */
export class PooledWorker {
  /** Settles when the model is loaded, or rejects with the reason why it is not. */
  readonly loaded: Promise<LoadedModel>;
  readonly #thread: Worker;
  readonly #listener: WorkerListener;
  readonly #jobs = new Map<number, BatchJob>();
  readonly #exited: Promise<void>;
  #nextBatchId = 0;
  #state: "loading" | "ready" | "closing" | "lost" | "gone" = "loading";
  #hangTimer: NodeJS.Timeout | undefined;
  #lastError: unknown;

  /**
   * @param thread has started, or is about to, and waits for what to load
   * @param warmup typical texts, at least one; the model is loaded while they are waited for
   */
  constructor(
    thread: Worker,
    setup: WorkerSetup,
    warmup: Promise<readonly EncodedText[]>,
    listener: WorkerListener,
  ) {
    this.#listener = listener;
    this.#thread = thread;
    const { promise, resolve, reject } = Promise.withResolvers<LoadedModel>();
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
    this.#thread.on("message", (reply: WorkerReply) => {
      if (reply.kind === "loaded") this.#becomeReady(reply, resolve);
      else if (reply.kind === "loadFailed") this.#failLoading(decodeError(reply.error), reject);
      else this.#answer(reply);
    });
    this.#send({ kind: "load", setup });
    warmup.then(
      (texts) => this.#send({ kind: "measure", texts }),
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
  start(job: BatchJob): void {
    const batchId = this.#nextBatchId++;
    this.#jobs.set(batchId, job);
    if (this.#jobs.size === 1) {
      this.#thread.ref();
      this.#watchRun(job);
    }
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
    this.#state = this.#state === "gone" ? "gone" : "closing";
    this.#thread.ref();
    this.#send({ kind: "close" });
    const timedOut = Promise.withResolvers<void>();
    const timer = setTimeout(timedOut.resolve, CLOSE_TIMEOUT_MS);
    await Promise.race([this.#exited, timedOut.promise]);
    clearTimeout(timer);
    this.#thread.unref();
  }

  #becomeReady(reply: LoadedModel, resolve: (loaded: LoadedModel) => void): void {
    if (this.#state === "loading") {
      this.#state = "ready";
      this.#thread.unref();
    }
    const { description, pads, cost, memoryBytes } = reply;
    resolve({ description, pads, cost, memoryBytes });
  }

  #failLoading(error: SluiceError, reject: (error: SluiceError) => void): void {
    if (this.#state === "loading") this.#state = "closing";
    reject(error);
  }

  #answer(reply: Extract<WorkerReply, { batchId: number }>): void {
    const job = this.#jobs.get(reply.batchId);
    // The late answer of a run that was given up.
    if (job === undefined) return;
    this.#jobs.delete(reply.batchId);
    clearTimeout(this.#hangTimer);
    const [next] = this.#jobs.values();
    if (next === undefined) this.#thread.unref();
    else this.#watchRun(next);
    if (reply.kind === "rows") job.resolve(unpackRows(reply.logits, job.batch.length));
    else job.reject(decodeError(reply.error));
    this.#listener.onAnswer();
  }

  /** The run of a batch begins now: the thread takes them in order. */
  #watchRun({ timeoutMs }: BatchJob): void {
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

  #takeJobs(): readonly BatchJob[] {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    return jobs;
  }

  #send(request: WorkerRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread.postMessage(request, transfer);
  }
}
