import type { Config } from "../config/schema.ts";
import type { WorkQueue } from "../core/ports/work-queue.ts";
import { describeNatsUrl } from "../stores/nats/connect.ts";
import type { RecordDatabase } from "../stores/records/record-database.ts";

/** How long the queue remembers work that was done. */
const DEDUP_MS = 10 * 60_000;

/**
 * The queue of work that the configuration wants.
 *
 * @param database where the queue is when it is a table
 * @throws SluiceError `unavailable` when its server cannot be reached
 */
export async function createWorkQueue(
  { queue: { store }, jobs }: Config,
  database: RecordDatabase,
  epochMs: () => number,
): Promise<WorkQueue> {
  if (store.driver === "table") {
    const { createTableWorkQueue } = await import("../stores/records/work-queue-table.ts");
    return createTableWorkQueue(database, { pollMs: store.pollMs, epochMs });
  }
  const { createJetStreamWorkQueue } = await import("../stores/queues/jetstream.ts");
  return createJetStreamWorkQueue({
    ...store,
    setting: "queue.store.url",
    connectTimeoutMs: store.timeoutMs,
    dedupMs: DEDUP_MS,
    leaseMs: jobs.leaseMs,
    epochMs,
  });
}

/** What a person reads at start; never a password. */
export function describeQueue({ queue: { store } }: Config): string {
  if (store.driver === "table") return "a table of the records";
  return `NATS JetStream, ${describeNatsUrl(store.url)}, ${store.prefix}.work.>`;
}
