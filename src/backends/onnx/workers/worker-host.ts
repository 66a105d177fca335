import type { MessagePort } from "node:worker_threads";
import { toSluiceError } from "../../../core/errors.ts";
import { toFirstShapes } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import { assertNumbers, toModelFailure } from "../model-runner.ts";
import { measureCost } from "../placement/measure-cost.ts";
import { stepBack } from "./step-back.ts";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";
import { encodeError, packRows, unpackBatch } from "./worker-protocol.ts";

/**
 * Serves one runner to the pool at the other end of `port`, one batch at a time in the order of arrival, until the
 * pool says `close`. A batch that the model refuses is answered; anything else that goes wrong ends the thread, and
 * the pool replaces it.
 *
 * @param load loads the model; when it fails, the pool is told why and the thread ends.
 * @param setup what the thread was started with
 */
export async function hostRunner(
  port: MessagePort,
  load: () => Promise<ModelRunner>,
  { spec, warmup, niceness, isAwaited }: WorkerSetup,
): Promise<void> {
  let runner: ModelRunner;
  try {
    if (!isAwaited) stepBack(niceness);
    const bytesBefore = process.memoryUsage.rss();
    runner = await load();
    const { maxTokens, device } = spec;
    const firstShapes = toFirstShapes(device);
    const cost = await measureCost(runner, { texts: warmup, maxTokens, firstShapes });
    const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
    stepBack(niceness);
    const { description, pads } = runner;
    send(port, { kind: "loaded", description, pads, cost, memoryBytes });
  } catch (error) {
    send(port, { kind: "loadFailed", error: encodeError(toSluiceError(error)) });
    port.close();
    return;
  }
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (request: WorkerRequest) => {
    queue = queue.then(() => handleRequest(port, runner, request));
  });
}

async function handleRequest(
  port: MessagePort,
  runner: ModelRunner,
  request: WorkerRequest,
): Promise<void> {
  if (request.kind === "close") {
    await runner.close();
    port.close();
    return;
  }
  const { batchId, packedIds } = request;
  try {
    const logits = packRows(assertNumbers(await runner.run(unpackBatch(packedIds))));
    send(port, { kind: "rows", batchId, logits }, [logits.buffer]);
  } catch (error) {
    send(port, { kind: "runFailed", batchId, error: encodeError(toModelFailure(error)) });
  }
}

function send(port: MessagePort, reply: WorkerReply, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}
