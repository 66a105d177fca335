import { parentPort, workerData } from "node:worker_threads";
import type { BagModel } from "./bag-model.ts";
import type { ExampleSet } from "./example-set.ts";
import type { EpochReport, MemberSettings, TrainedMember } from "./member.ts";
import { trainMember } from "./member.ts";

/** What a training thread starts with; the example sets lie in shared memory. */
export interface TrainWorkerInput {
  readonly training: ExampleSet;
  readonly validation: ExampleSet;
  readonly settings: MemberSettings;
}

/** What a training thread says. After `finished` it ends by itself. */
export type TrainWorkerMessage =
  | { readonly kind: "epoch"; readonly report: EpochReport }
  | { readonly kind: "finished"; readonly member: TrainedMember };

function runWorker(): void {
  const { training, validation, settings } = workerData as TrainWorkerInput;
  const send = (message: TrainWorkerMessage, transfer: ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, transfer);
  const member = trainMember(training, validation, settings, (report) =>
    send({ kind: "epoch", report }),
  );
  send({ kind: "finished", member }, toBuffers(member.model));
}

/** The table is moved, not copied. */
function toBuffers(model: BagModel): ArrayBuffer[] {
  return [model.embeddings.buffer as ArrayBuffer];
}

runWorker();
