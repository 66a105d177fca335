import { Worker } from "node:worker_threads";
import { SluiceError } from "../../core/errors.ts";
import type { ExampleSet } from "./example-set.ts";
import type { EpochReport, MemberSettings, TrainedMember } from "./member.ts";
import { trainMember } from "./member.ts";
import type { TrainWorkerInput, TrainWorkerMessage } from "./train-worker.ts";

/** A finished pass of one member. */
export interface MemberReport extends EpochReport {
  /** Index of the member. */
  readonly member: number;
}

export interface TrainMembersInput {
  readonly training: ExampleSet;
  readonly validation: ExampleSet;
  /** One entry per member; they differ in their seeds. */
  readonly members: readonly MemberSettings[];
  /** How many worker threads train at a time; 0 trains in the calling thread and blocks it. */
  readonly threads: number;
  readonly onEpoch: (report: MemberReport) => void;
}

/**
 * Trains independent members, each in its own worker thread. A member is computed by one thread alone, so the result
 * depends on neither the number of threads nor their timing.
 *
 * @returns the members in the order of their settings.
 * @throws SluiceError `internal` when a thread dies; the other threads are stopped.
 */
export async function trainMembers(input: TrainMembersInput): Promise<TrainedMember[]> {
  const trained: TrainedMember[] = [];
  let next = 0;
  const running = new Set<Worker>();
  const runLane = async () => {
    while (next < input.members.length) {
      const index = next++;
      trained[index] = await trainOne(input, index, running);
    }
  };
  try {
    const lanes = Math.min(Math.max(input.threads, 1), input.members.length);
    await Promise.all(Array.from({ length: lanes }, runLane));
  } finally {
    await Promise.all([...running].map((worker) => worker.terminate()));
  }
  return trained;
}

async function trainOne(
  input: TrainMembersInput,
  index: number,
  running: Set<Worker>,
): Promise<TrainedMember> {
  const { training, validation, onEpoch } = input;
  const settings = input.members[index];
  if (settings === undefined) throw new SluiceError("internal", `There is no member ${index}.`);
  const report = (epoch: EpochReport) => onEpoch({ ...epoch, member: index });
  if (input.threads === 0) return trainMember(training, validation, settings, report);
  const workerData: TrainWorkerInput = { training, validation, settings };
  const worker = new Worker(new URL("./train-worker.ts", import.meta.url), { workerData });
  running.add(worker);
  try {
    return await new Promise<TrainedMember>((resolve, reject) => {
      worker.on("message", (message: TrainWorkerMessage) => {
        if (message.kind === "epoch") report(message.report);
        else resolve(message.member);
      });
      const fail = (cause: unknown) =>
        reject(new SluiceError("internal", "A training thread stopped early.", { cause }));
      worker.once("error", fail);
      worker.once("exit", fail);
    });
  } finally {
    running.delete(worker);
  }
}
