import { randomUUID } from "node:crypto";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { WorkMessage, WorkQueue } from "../../src/core/ports/work-queue.ts";
import { connectNats } from "../../src/stores/nats/connect.ts";
import { createJetStreamWorkQueue } from "../../src/stores/queues/jetstream.ts";
import { startNatsServer } from "../../test/support/nats-server.ts";
import type { Contest } from "./contest.ts";
import { repeat } from "./contest.ts";

const BULK = 2000;
const SINGLES = 500;
const AT_ONCE = 100;

/** JetStream beside its own client, on streams of the same kind: published with an id, pulled and acknowledged one by one. */
export async function createJetStreamContests(): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const server = await startNatsServer();
  const queue = await createJetStreamWorkQueue({
    ...{ url: server.url, setting: "queue.store.url", prefix: "driver", replicas: 1 },
    ...{ connectTimeoutMs: 2000, timeoutMs: 10_000, dedupMs: 120_000, leaseMs: 30_000 },
    epochMs: Date.now,
  });
  const connection = await connectNats({
    ...{ url: server.url, setting: "queue.store.url", connectTimeoutMs: 2000 },
  });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    ...{ name: "RAW", subjects: ["raw.*"], retention: "workqueue", storage: "file" },
    duplicate_window: 120_000_000_000,
  });
  const pending = { max_ack_pending: -1, ack_wait: 30_000_000_000 };
  await manager.consumers.add("RAW", { durable_name: "all", ack_policy: "explicit", ...pending });
  const stream = jetstream(connection);
  const consumer = await stream.consumers.get("RAW", "all");

  const publish = () => stream.publish(`raw.${randomUUID()}`, "{}", { msgID: randomUUID() });
  const drainRaw = async () => {
    let left = (await consumer.info()).num_pending;
    while (left > 0) {
      const wanted = Math.min(AT_ONCE, left);
      for await (const message of await consumer.fetch({ max_messages: wanted, expires: 1000 })) {
        message.ack();
        left--;
      }
    }
  };
  const store = "queue, JetStream";
  const contests: readonly Contest[] = [
    {
      ...{ store, what: `messages stored, ${BULK} in a call`, operations: BULK },
      driver: () => queue.add(Array.from({ length: BULK }, toMessage)),
      raw: () => repeat(BULK, 256, publish),
    },
    {
      ...{ store, what: "messages stored, one after the other", operations: SINGLES },
      driver: () => repeat(SINGLES, 1, () => queue.add([toMessage()])),
      raw: () => repeat(SINGLES, 1, publish),
    },
    {
      ...{ store, what: `stored, then taken and done ${AT_ONCE} at a time`, operations: BULK },
      driver: async () => {
        await drainQueue(queue);
        await queue.add(Array.from({ length: BULK }, toMessage));
        await drainQueue(queue);
      },
      raw: async () => {
        await drainRaw();
        await repeat(BULK, 256, publish);
        await drainRaw();
      },
    },
  ];
  return {
    // Those that only store leave much behind; the last one is measured on empty queues.
    contests: contests.toReversed(),
    close: async () => {
      await connection.close();
      await queue.close();
      await server.close();
    },
  };
}

function toMessage(): WorkMessage {
  return { id: randomUUID(), lane: "normal", body: "{}" };
}

async function drainQueue(queue: WorkQueue): Promise<void> {
  for (;;) {
    const taken = await queue.take({ max: AT_ONCE, waitMs: 0, leaseMs: 30_000 });
    if (taken.length === 0) return;
    await Promise.all(taken.map((work) => work.done()));
  }
}
