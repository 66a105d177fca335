import { Worker } from "node:worker_threads";
import { SluiceError } from "../../core/errors.ts";
import type { VectorStore } from "../../core/ports/vector-store.ts";
import type { FileSetup, StoreMethod, StoreReply } from "./sqlite-vec/store-protocol.ts";
import { decodeError } from "./sqlite-vec/store-protocol.ts";

export interface SqliteVectorStoreOptions {
  /** The file; it and its folder are made when they do not exist. */
  readonly path: string;
  /** How long to wait while another process writes. */
  readonly busyTimeoutMs?: number;
}

const PROGRAM = new URL("./sqlite-vec/worker-main.ts", import.meta.url);
const BUSY_TIMEOUT_MS = 5000;

/**
 * Vectors in one SQLite file, searched exactly by the sqlite-vec extension, in a thread of its own: neither a search nor
 * the wait for the disk holds up the event loop. Calls run one after another.
 *
 * @throws SluiceError `unavailable` when the file is corrupt, read-only or locked, or the extension is missing
 */
export async function createSqliteVectorStore({
  path,
  busyTimeoutMs = BUSY_TIMEOUT_MS,
}: SqliteVectorStoreOptions): Promise<VectorStore> {
  const thread = new StoreThread({ path, busyTimeoutMs });
  await thread.opened;
  const call =
    <Method extends StoreMethod>(method: Method) =>
    (...args: Parameters<VectorStore[Method]>) =>
      thread.call(method, args) as ReturnType<VectorStore[Method]>;
  return {
    description: `sqlite-vec (${path})`,
    create: call("create"),
    list: call("list"),
    drop: call("drop"),
    upsert: call("upsert"),
    remove: call("remove"),
    search: call("search"),
    page: call("page"),
    close: () => thread.close(),
  };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The thread, and who waits for it. It keeps the process alive only while somebody does. */
class StoreThread {
  readonly opened: Promise<unknown>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = Promise.withResolvers<void>();
  #lastId = 0;
  #isOver = false;
  #closed: Promise<void> | undefined;

  constructor(setup: FileSetup) {
    this.#worker = new Worker(PROGRAM, { name: "sluice-vectors", workerData: setup });
    this.opened = this.#wait(0);
    this.#worker.on("message", (reply: StoreReply) => this.#settle(reply));
    this.#worker.on("error", (cause) => this.#end(cause));
    this.#worker.on("exit", () => this.#end(undefined));
  }

  call(method: StoreMethod, args: readonly unknown[]): Promise<unknown> {
    if (this.#isOver || this.#closed !== undefined) return Promise.reject(storeEnded(undefined));
    return this.#send(method, args);
  }

  close(): Promise<void> {
    this.#closed ??= this.#isOver
      ? Promise.resolve()
      : this.#send("close", []).then(
          () => this.#ended.promise,
          () => undefined,
        );
    return this.#closed;
  }

  #send(method: StoreMethod, args: readonly unknown[]): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = this.#wait(id);
    this.#worker.postMessage({ id, method, args });
    return answer;
  }

  #wait(id: number): Promise<unknown> {
    this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle(reply: StoreReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0 && this.#closed === undefined) this.#worker.unref();
    if ("error" in reply) waiting?.reject(decodeError(reply.error));
    else waiting?.resolve(reply.value);
  }

  #end(cause: unknown): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(storeEnded(cause));
    this.#waiting.clear();
    this.#ended.resolve();
  }
}

function storeEnded(cause: unknown): SluiceError {
  const message = "The store of vectors is closed; restart the server to use it again.";
  return new SluiceError("unavailable", message, { cause });
}
