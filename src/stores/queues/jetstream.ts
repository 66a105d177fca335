import type { WorkMessage, WorkQueue } from "../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../core/ports/work-queue.ts";
import { describeNatsUrl } from "../nats/connect.ts";
import { assertWorkFits } from "./assert-work-fits.ts";
import { findDead, listDead, removeDead, storeDead } from "./jetstream/dead-letters.ts";
import { publishWork } from "./jetstream/publish-work.ts";
import type { SessionOptions } from "./jetstream/session.ts";
import { JetStreamSession } from "./jetstream/session.ts";
import { createTake } from "./jetstream/take-work.ts";
import { WakeBell } from "./jetstream/wake-bell.ts";
import { toToken, toWorkNames } from "./jetstream/work-names.ts";

export interface JetStreamQueueOptions extends SessionOptions {
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
}

/** Messages that are on their way to the server at once. */
const PUBLISH_AT_ONCE = 256;

/**
 * Work in JetStream, the store of NATS: a stream of retention `workqueue` with a durable pull consumer per lane, and a stream of dead
 * letters, which are kept for 30 days. Needs nats-server 2.9 or later. Keeps the port's contract, with these limits:
 *
 * - What was accepted survives the end of any process, the server's too. After the end of the *machine* the last messages may be
 *   missing, as nats-server syncs its files every two minutes. 2.9 cannot be told otherwise; from 2.10 on there is
 *   `sync_interval: always`. Several replicas on several machines make a loss unlikely. The sweeper of jobs hands out again what is lost.
 * - An id that is still there is refused for as long as it is there, within its lane. One that was done, or is a dead letter, is refused
 *   for `dedupMs`; not after a restart of the server, which remembers only ids whose messages it still has.
 * - A server that is killed forgets acks and leases of the last fraction of a second, although it has confirmed them: such work is handed
 *   out again, and its count of attempts may begin anew.
 * - `count` has among `leased` also work whose delay has not passed, and work whose lease has run out and that nobody has taken since:
 *   the server does not tell them apart.
 * - `done` counts also when the lease was lost; `extend`, `retry` and `bury` then do nothing.
 *
 * @throws SluiceError `unavailable` that names the setting and the fix, when the server cannot be reached, refuses the user, has no
 * JetStream, or is too old
 */
export async function createJetStreamWorkQueue(options: JetStreamQueueOptions): Promise<WorkQueue> {
  const { epochMs, prefix, url } = options;
  const names = toWorkNames(prefix);
  const bell = new WakeBell();
  const session = new JetStreamSession(options, names, () => bell.ring());
  const run = session.run.bind(session);
  let isClosed = false;

  const bury = (work: WorkMessage, attempts: number, reason: string) => {
    const letter = { ...work, attempts, reason, buriedAtMs: epochMs() };
    return run((open) => storeDead(open, names, letter));
  };

  try {
    await run(async () => {});
  } catch (error) {
    await session.close();
    throw error;
  }
  return {
    description: `NATS JetStream, ${describeNatsUrl(url)}, ${prefix}.work.>`,
    add: async (messages) => {
      messages.forEach(assertWorkFits);
      for (let at = 0; at < messages.length; at += PUBLISH_AT_ONCE) {
        const some = messages.slice(at, at + PUBLISH_AT_ONCE);
        await run((open) =>
          Promise.all(some.map((work) => publishWork(open, names, work, toToken(work.id)))),
        );
      }
      if (messages.length > 0) await session.wake();
    },
    take: createTake({ session, bell, bury, isClosed: () => isClosed }),
    count: () =>
      run(async ({ manager }) => {
        const [dead, ...lanes] = await Promise.all([
          manager.streams.info(names.deadStream),
          ...WORK_LANES.map((lane) => manager.consumers.info(names.workStream, lane)),
        ]);
        return {
          waiting: lanes.reduce((sum, lane) => sum + lane.num_pending, 0),
          leased: lanes.reduce((sum, lane) => sum + lane.num_ack_pending, 0),
          dead: dead.state.messages,
        };
      }),
    listDead: (limit) => run((open) => listDead(open, names, limit)),
    revive: async (id) => {
      let isAgain = false;
      const isRevived = await run(async (open) => {
        const letter = await findDead(open, names, id);
        // Gone after a first try whose end was not seen: that was us.
        if (letter === undefined) return isAgain;
        // Its id may still be remembered; this one is as good for two who revive at once.
        await publishWork(open, names, letter, `${toToken(id)}:${letter.sequence}`);
        isAgain = true;
        return await removeDead(open, names, letter.sequence);
      });
      if (isRevived) await session.wake();
      return isRevived;
    },
    close: async () => {
      isClosed = true;
      bell.ring();
      await session.close();
    },
  };
}
