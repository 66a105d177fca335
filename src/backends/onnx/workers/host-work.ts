import type { MessagePort } from "node:worker_threads";
import { toSluiceError } from "../../../core/errors.ts";
import { toModelFailure } from "../model-runner.ts";
import { stepBack } from "./step-back.ts";
import type { Parcel, WorkerReply, WorkerRequest, WorkerStart } from "./worker-protocol.ts";
import { encodeError } from "./worker-protocol.ts";

/** A model in a worker thread that has been loaded and not yet tried. */
export interface LoadedWork<Sample, Loaded, PackedInput, PackedOutput> {
  /** Tries the model, and tells what the pool is to know of it. */
  try(sample: Sample): Promise<Loaded>;
  /** @throws whatever the model throws; what is no SluiceError counts as the model's failure */
  run(packed: PackedInput): Promise<Parcel<PackedOutput>>;
  close(): Promise<void>;
}

/** What a thread does for its pool. `Setup` and `Sample` are what the pool sends. */
export type LoadWork<Setup extends WorkerStart, Sample, Loaded, PackedInput, PackedOutput> = (
  setup: Setup,
) => Promise<LoadedWork<Sample, Loaded, PackedInput, PackedOutput>>;

/**
 * Serves one model to the pool at the other end of `port`: loads it, tries it, and runs one batch at a time in the order
 * of arrival until the pool says `close`. A batch that the model refuses is answered; anything else that goes wrong ends
 * the thread, and the pool replaces it.
 *
 * @param load loads the model; when that fails, or trying it does, the pool is told why and the thread ends.
 */
export function hostWork<Setup extends WorkerStart, Sample, Loaded, PackedInput, PackedOutput>(
  port: MessagePort,
  load: LoadWork<Setup, Sample, Loaded, PackedInput, PackedOutput>,
): void {
  const send = (reply: WorkerReply<Loaded, PackedOutput>, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(reply, transfer);
  let work: LoadedWork<Sample, Loaded, PackedInput, PackedOutput> | undefined;
  let niceness = 0;

  const orRefuse = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      send({ kind: "loadFailed", error: encodeError(toSluiceError(error)) });
      port.close();
    }
  };
  const handle = async (request: WorkerRequest<PackedInput>): Promise<void> => {
    if (request.kind === "close") {
      await work?.close();
      port.close();
    } else if (request.kind === "load") {
      niceness = request.setup.niceness;
      if (!request.setup.isAwaited) stepBack(niceness);
      await orRefuse(async () => {
        // What the pool sends is what this program is for.
        work = await load(request.setup as Setup);
      });
    } else if (work === undefined) {
      // Loading failed and the pool knows; this was sent before it did.
    } else if (request.kind === "try") {
      await orRefuse(() => tryWork(work, request.sample as Sample));
    } else {
      await runBatch(work, request);
    }
  };
  const tryWork = async (loaded: typeof work, sample: Sample): Promise<void> => {
    if (loaded === undefined) return;
    const facts = await loaded.try(sample);
    stepBack(niceness);
    send({ kind: "loaded", loaded: facts });
  };
  const runBatch = async (
    { run }: NonNullable<typeof work>,
    { batchId, packed: input }: Extract<WorkerRequest<PackedInput>, { kind: "run" }>,
  ): Promise<void> => {
    try {
      const { packed, transfer } = await run(input);
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
