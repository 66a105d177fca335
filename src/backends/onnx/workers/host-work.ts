import type { MessagePort } from "node:worker_threads";
import { toSluiceError } from "../../../core/errors.ts";
import { toModelFailure } from "../model-runner.ts";
import { stepBack } from "./step-back.ts";
import type { Parcel, WorkerReply, WorkerRequest, WorkerStart } from "./worker-protocol.ts";
import { encodeError } from "./worker-protocol.ts";

/** A model in a worker thread, ready to run. */
export interface HostedWork<Loaded, PackedInput, PackedOutput> {
  /** What the pool is told about it. */
  readonly loaded: Loaded;
  /** @throws whatever the model throws; what is no SluiceError counts as the model's failure */
  run(packed: PackedInput): Promise<Parcel<PackedOutput>>;
  close(): Promise<void>;
}

/**
 * Serves one model to the pool at the other end of `port`, one batch at a time in the order of arrival, until the pool
 * says `close`. A batch that the model refuses is answered; anything else that goes wrong ends the thread, and the pool
 * replaces it.
 *
 * @param load loads the model and tries it; when it fails, the pool is told why and the thread ends.
 */
export async function hostWork<Loaded, PackedInput, PackedOutput>(
  port: MessagePort,
  load: () => Promise<HostedWork<Loaded, PackedInput, PackedOutput>>,
  { niceness, isAwaited }: WorkerStart,
): Promise<void> {
  const send = (reply: WorkerReply<Loaded, PackedOutput>, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(reply, transfer);
  let work: HostedWork<Loaded, PackedInput, PackedOutput>;
  try {
    if (!isAwaited) stepBack(niceness);
    work = await load();
    stepBack(niceness);
    send({ kind: "loaded", loaded: work.loaded });
  } catch (error) {
    send({ kind: "loadFailed", error: encodeError(toSluiceError(error)) });
    port.close();
    return;
  }
  const handle = async (request: WorkerRequest<PackedInput>): Promise<void> => {
    if (request.kind === "close") {
      await work.close();
      port.close();
      return;
    }
    const { batchId } = request;
    try {
      const { packed, transfer } = await work.run(request.packed);
      send({ kind: "done", batchId, packed }, transfer);
    } catch (error) {
      send({ kind: "runFailed", batchId, error: encodeError(toModelFailure(error)) });
    }
  };
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (request: WorkerRequest<PackedInput>) => {
    queue = queue.then(() => handle(request));
  });
}
