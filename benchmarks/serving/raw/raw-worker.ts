import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { IdBatch, RawReply, RawRequest, RawWorkerSetup } from "./raw-protocol.ts";

/**
 * A thread that does nothing but `session.run` on tensors made beforehand: the most that a server with one such thread
 * can reach. Priority is left alone.
 */
const { modelPath, threads, padId } = workerData as RawWorkerSetup;

/** What each input of a text encoder holds at one place. */
const VALUES: Readonly<Record<string, (id: number | undefined) => bigint>> = {
  input_ids: (id) => BigInt(id ?? padId),
  attention_mask: (id) => (id === undefined ? 0n : 1n),
  token_type_ids: () => 0n,
};

type Feeds = Record<string, Tensor>;
let prepared: { readonly feeds: Feeds; readonly texts: number }[] = [];

const session = await InferenceSession.create(modelPath, {
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
});

parentPort?.on("message", (request: RawRequest) => {
  handle(request).catch((error: unknown) => reply({ kind: "failed", message: String(error) }));
});
reply({ kind: "ready" });

async function handle(request: RawRequest): Promise<void> {
  if (request.kind === "prepare") {
    prepared = request.batches.map((batch) => ({ feeds: toFeeds(batch), texts: batch.length }));
    reply({ kind: "ready" });
  } else if (request.kind === "run") {
    reply({ kind: "done", ...(await run(request)) });
  } else {
    await session.release();
    parentPort?.close();
  }
}

async function run({ next, most, durationMs }: Extract<RawRequest, { kind: "run" }>) {
  const startMs = performance.now();
  let endMs = startMs;
  let batches = 0;
  let texts = 0;
  while (endMs - startMs < durationMs) {
    const count = Atomics.add(next, 0, 1);
    if (count >= most) break;
    const batch = prepared[count % prepared.length];
    if (batch === undefined) throw new RangeError("Nothing is prepared.");
    await session.run(batch.feeds);
    batches++;
    texts += batch.texts;
    endMs = performance.now();
  }
  return { batches, texts, busyMs: endMs - startMs };
}

function toFeeds(batch: IdBatch): Feeds {
  const length = Math.max(...batch.map((ids) => ids.length));
  const feeds: Feeds = {};
  for (const name of session.inputNames) {
    const toValue = VALUES[name];
    if (toValue === undefined) throw new RangeError(`Unknown input ${name}.`);
    const data = new BigInt64Array(batch.length * length);
    for (let i = 0; i < data.length; i++) {
      data[i] = toValue(batch[Math.floor(i / length)]?.[i % length]);
    }
    feeds[name] = new Tensor("int64", data, [batch.length, length]);
  }
  return feeds;
}

function reply(message: RawReply): void {
  parentPort?.postMessage(message);
}
