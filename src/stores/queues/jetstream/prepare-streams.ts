import type { JetStreamManager, StreamConfig } from "@nats-io/jetstream";
import { SluiceError } from "../../../core/errors.ts";
import type { WorkLane } from "../../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../../core/ports/work-queue.ts";
import { toStreamName } from "../../nats/stream-name.ts";
import type { WorkNames } from "./work-names.ts";

export interface StreamOptions {
  /** Name of the setting that has the server's address. */
  readonly setting: string;
  /** First words of the subjects. */
  readonly prefix: string;
  /** Servers of a cluster that each have all messages; 1 to 5. */
  readonly replicas: number;
  /** How long ids of finished work are remembered. */
  readonly dedupMs: number;
  /** The usual lease: consumers that are made here give it without a further message. */
  readonly leaseMs: number;
}

/**
 * The server lets a lease go so much later than its holder does. A holder's last word, sent in time, then comes before anybody else
 * has the work.
 */
export const LEASE_GRACE_MS = 1000;

/** How long each lane's consumer waits for an ack, in milliseconds. */
export type AckWaits = Readonly<Record<WorkLane, number>>;

const NANOS_PER_MS = 1_000_000;
const DEAD_MAX_AGE_MS = 30 * 86_400_000;
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;

/**
 * Makes the streams and the consumers that are missing; those that are there stay as they are.
 *
 * @throws SluiceError `unavailable` when a stream of that name is no queue of ours; errors of the client as they come
 */
export async function prepareStreams(
  manager: JetStreamManager,
  names: WorkNames,
  options: StreamOptions,
): Promise<AckWaits> {
  const { prefix, replicas, dedupMs } = options;
  const work = await findOrAdd(
    () => manager.streams.info(names.workStream),
    STREAM_NOT_FOUND,
    () =>
      manager.streams.add({
        name: names.workStream,
        subjects: [`${prefix}.work.*.*`],
        retention: "workqueue",
        storage: "file",
        num_replicas: replicas,
        // Every id has its own subject, and a subject has room for one message: what is there is not stored again.
        max_msgs_per_subject: 1,
        discard: "new",
        discard_new_per_subject: true,
        duplicate_window: dedupMs * NANOS_PER_MS,
      }),
  );
  assertIsQueue(work.config, options);
  await findOrAdd(
    () => manager.streams.info(names.deadStream),
    STREAM_NOT_FOUND,
    () =>
      manager.streams.add({
        name: names.deadStream,
        subjects: [`${prefix}.dead.*`],
        storage: "file",
        num_replicas: replicas,
        max_msgs_per_subject: 1,
        max_age: DEAD_MAX_AGE_MS * NANOS_PER_MS,
      }),
  );
  const waits = await Promise.all(
    WORK_LANES.map((lane) => prepareConsumer(lane, manager, names, options)),
  );
  return { high: waits[0] ?? 0, normal: waits[1] ?? 0, low: waits[2] ?? 0 };
}

/** @returns its ack wait, in milliseconds */
async function prepareConsumer(
  lane: WorkLane,
  manager: JetStreamManager,
  { workStream, workSubject }: WorkNames,
  { leaseMs }: StreamOptions,
): Promise<number> {
  const { config } = await findOrAdd(
    () => manager.consumers.info(workStream, lane),
    CONSUMER_NOT_FOUND,
    () =>
      manager.consumers.add(workStream, {
        durable_name: lane,
        filter_subject: workSubject(lane, "*"),
        ack_policy: "explicit",
        deliver_policy: "all",
        ack_wait: (leaseMs + LEASE_GRACE_MS) * NANOS_PER_MS,
        // Without bounds: how much is worked on at once is for the workers to say.
        max_ack_pending: -1,
        max_deliver: -1,
        max_waiting: 10_000,
      }),
  );
  return (config.ack_wait ?? 0) / NANOS_PER_MS;
}

async function findOrAdd<T>(
  find: () => Promise<T>,
  missingCode: number,
  add: () => Promise<T>,
): Promise<T> {
  const { JetStreamApiError } = await import("@nats-io/jetstream");
  try {
    return await find();
  } catch (thrown) {
    if (!(thrown instanceof JetStreamApiError) || thrown.code !== missingCode) throw thrown;
    return await add();
  }
}

function assertIsQueue(config: StreamConfig, { setting, prefix }: StreamOptions): void {
  const isQueue =
    config.retention === "workqueue" &&
    config.max_msgs_per_subject === 1 &&
    config.discard_new_per_subject;
  if (isQueue) return;
  const message = `The stream ${toStreamName(`${prefix}.work`)} of NATS (${setting}) is no queue of work; remove it, or give the queue another prefix.`;
  throw new SluiceError("unavailable", message);
}
