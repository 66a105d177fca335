import type { MessagePort } from "node:worker_threads";
import { toSluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { toFirstShapes } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import { assertNumbers, toModelFailure } from "../model-runner.ts";
import { measureCost } from "../placement/measure-cost.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import { stepBack } from "./step-back.ts";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";
import { encodeError, packRows, unpackBatch } from "./worker-protocol.ts";

/**
 * Serves one runner to the pool at the other end of `port`: loads it, measures it, and runs one batch at a time in the
 * order of arrival until the pool says `close`. A batch that the model refuses is answered; anything else that goes
 * wrong ends the thread, and the pool replaces it.
 *
 * @param load loads the model; when that or measuring fails, the pool is told why and the thread ends.
 */
export function hostRunner(
  port: MessagePort,
  load: (spec: RunnerSpec) => Promise<ModelRunner>,
): void {
  const host: Host = { port, load, model: undefined };
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (request: WorkerRequest) => {
    queue = queue.then(() => handleRequest(host, request));
  });
}

interface Host {
  readonly port: MessagePort;
  readonly load: (spec: RunnerSpec) => Promise<ModelRunner>;
  model: HostedModel | undefined;
}

interface HostedModel {
  readonly runner: ModelRunner;
  readonly setup: WorkerSetup;
  /** Memory of the process before the model was loaded. */
  readonly bytesBefore: number;
}

async function handleRequest(host: Host, request: WorkerRequest): Promise<void> {
  const { port, model } = host;
  if (request.kind === "close") {
    await model?.runner.close();
    port.close();
  } else if (request.kind === "load") {
    await orRefuse(port, async () => {
      host.model = await loadModel(host.load, request.setup);
    });
  } else if (model !== undefined && request.kind === "measure") {
    await orRefuse(port, () => measureModel(port, model, request.texts));
  } else if (model !== undefined && request.kind === "run") {
    await runBatch(port, model.runner, request);
  }
}

/** When a model cannot be loaded, the pool is told why and the thread ends. */
async function orRefuse(port: MessagePort, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    send(port, { kind: "loadFailed", error: encodeError(toSluiceError(error)) });
    port.close();
  }
}

async function loadModel(load: Host["load"], setup: WorkerSetup): Promise<HostedModel> {
  if (!setup.isAwaited) stepBack(setup.niceness);
  const bytesBefore = process.memoryUsage.rss();
  return { runner: await load(setup.spec), setup, bytesBefore };
}

async function measureModel(
  port: MessagePort,
  { runner, setup, bytesBefore }: HostedModel,
  texts: readonly EncodedText[],
): Promise<void> {
  const { maxTokens, device } = setup.spec;
  const cost = await measureCost(runner, { texts, maxTokens, firstShapes: toFirstShapes(device) });
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  stepBack(setup.niceness);
  const { description, pads } = runner;
  send(port, { kind: "loaded", description, pads, cost, memoryBytes });
}

async function runBatch(
  port: MessagePort,
  runner: ModelRunner,
  { batchId, packedIds }: Extract<WorkerRequest, { kind: "run" }>,
): Promise<void> {
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
