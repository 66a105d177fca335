import type { LeasedWork, WorkLane, WorkMessage, WorkQueue } from "../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../core/ports/work-queue.ts";
import { describeNatsUrl } from "../nats/connect.ts";
import { assertWorkFits } from "./assert-work-fits.ts";
import { findDead, listDead, removeDead, storeDead } from "./jetstream/dead-letters.ts";
import { ID_HEADER, toLease } from "./jetstream/lease.ts";
import type { OpenSession, SessionOptions } from "./jetstream/session.ts";
import { JetStreamSession } from "./jetstream/session.ts";
import { toApiCode } from "./jetstream/session-failure.ts";
import { WakeBell } from "./jetstream/wake-bell.ts";
import { encodeId, toToken, toWorkNames } from "./jetstream/work-names.ts";

export interface JetStreamQueueOptions extends SessionOptions {
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
}

/** Messages that are on their way to the server at once. */
const PUBLISH_AT_ONCE = 256;
/** Messages of one pull. */
const PULL_AT_ONCE = 256;
/** How often to look for work whose delay or lease has passed: nobody tells of that. */
const POLL_MS = 250;
/** After so many turns one is given to the lower lanes. */
const TURNS = 8;
/** JetStream's code for a subject that has its message. */
const SUBJECT_TAKEN = 10_077;

/**
 * Work in JetStream, the store of NATS: a stream of retention `workqueue` with a durable pull consumer per lane, and a stream of dead
 * letters, which are kept for 30 days. Needs nats-server 2.9 or later. Keeps the port's contract, with these limits:
 *
 * - What was accepted survives the end of any process, the server's too. After the end of the *machine* the last messages may be
 *   missing, as nats-server syncs its files every `sync_interval` (two minutes unless told otherwise; `sync_interval: always` is
 *   understood from 2.10 on). Several replicas on several machines make that unlikely. The sweeper of jobs hands out again what is lost.
 * - An id that is still there is refused for as long as it is there, within its lane. One that was done, or is a dead letter, is refused
 *   for `dedupMs`; not after a restart of the server, which remembers only ids whose messages it still has.
 * - A server that is killed forgets acks and leases of the last moments: such work is handed out again, and its count of attempts may
 *   begin anew.
 * - `count` has work whose delay has not passed among `leased`: the server does not tell them apart.
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
  let turn = 0;

  const publish = async ({ stream }: OpenSession, work: WorkMessage, msgID: string) => {
    const { headers } = await import("@nats-io/transport-node");
    const own = headers();
    const token = toToken(work.id);
    const encoded = encodeId(work.id);
    if (encoded !== token) own.set(ID_HEADER, encoded);
    try {
      const subject = names.workSubject(work.lane, token);
      await stream.publish(subject, work.body, { msgID, headers: own });
    } catch (thrown) {
      if (toApiCode(thrown) !== SUBJECT_TAKEN) throw thrown;
    }
  };
  const surroundings = {
    run,
    wake: () => session.wake(),
    bury: (work: WorkMessage, attempts: number, reason: string) => {
      const letter = { ...work, attempts, reason, buriedAtMs: epochMs() };
      return run((open) => storeDead(open, names, letter));
    },
  };
  const takeOnce = async (max: number, leaseMs: number): Promise<readonly LeasedWork[]> => {
    const taken: LeasedWork[] = [];
    for (const lane of toOrder(turn)) {
      const batch = Math.min(PULL_AT_ONCE, max - taken.length);
      if (batch <= 0) break;
      try {
        taken.push(...(await pull(lane, batch, leaseMs, taken.length > 0)));
      } catch (thrown) {
        // What was handed out already is not to wait until the server is back.
        if (taken.length === 0) throw thrown;
        break;
      }
    }
    if (taken.length > 0) turn++;
    return taken;
  };
  const pull = async (lane: WorkLane, batch: number, leaseMs: number, isOnce: boolean) => {
    const { pulled, ackWaitMs } = await run(
      async ({ inbox, ackWaits }) => {
        return { pulled: await inbox.pull(lane, batch), ackWaitMs: ackWaits[lane] };
      },
      { isOnce },
    );
    const leases = await Promise.allSettled(
      pulled.map((one) => toLease(one, { ...surroundings, leaseMs, ackWaitMs })),
    );
    const made = leases.filter((lease) => lease.status === "fulfilled");
    const failed = leases.find((lease) => lease.status === "rejected");
    if (made.length === 0 && failed !== undefined) throw failed.reason;
    return made.map((lease) => lease.value);
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
        await run((open) => Promise.all(some.map((work) => publish(open, work, toToken(work.id)))));
      }
      if (messages.length > 0) await session.wake();
    },
    take: async ({ max, waitMs, leaseMs }) => {
      const untilMs = performance.now() + waitMs;
      for (;;) {
        if (isClosed) return [];
        const { rings } = bell;
        const taken = await takeOnce(max, leaseMs);
        const restMs = untilMs - performance.now();
        if (taken.length > 0 || restMs <= 0) return taken;
        await bell.sleep(rings, Math.min(POLL_MS, restMs));
      }
    },
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
      const isRevived = await run(async (open) => {
        const letter = await findDead(open, names, id);
        if (letter === undefined) return false;
        // Its id may still be remembered; this one is as good for two who revive at once.
        await publish(open, letter, `${toToken(id)}:${letter.sequence}`);
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

/** Which lane goes first, now. Each of the lower lanes has its turns, else the middle one could starve. */
function toOrder(turn: number): readonly WorkLane[] {
  if ((turn + 1) % TURNS !== 0) return WORK_LANES;
  return (turn + 1) % (2 * TURNS) === 0 ? ["low", "normal", "high"] : ["normal", "low", "high"];
}
