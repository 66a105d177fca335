import type { LeasedWork, WorkMessage } from "../../../core/ports/work-queue.ts";
import { LEASE_GRACE_MS } from "./prepare-streams.ts";
import { ID_HEADER } from "./publish-work.ts";
import type { PulledMessage } from "./pull-inbox.ts";
import type { OpenSession } from "./session.ts";
import { decodeId, readWorkSubject } from "./work-names.ts";

export interface LeaseSurroundings {
  readonly leaseMs: number;
  /** How long the server waits for an ack unless it is told otherwise. */
  readonly ackWaitMs: number;
  run<T>(work: (session: OpenSession, leftMs: number) => Promise<T>): Promise<T>;
  /** Stores a dead letter; doing it twice stores one. */
  bury(work: WorkMessage, attempts: number, reason: string): Promise<void>;
  wake(): Promise<void>;
}

const DONE = "+ACK";
const WORKING = "+WPI";
const AGAIN = "-NAK";
const NANOS_PER_MS = 1_000_000;

/**
 * What the server pulled is made a lease of `leaseMs`.
 *
 * The server knows one ack wait for all that a consumer hands out. Where the lease differs from it, the message is refused with a delay
 * of the lease's length: the server then hands it out when that has passed, and takes an ack until then, which is a lease. The server
 * takes acks from whoever once had the message, so a holder must know by itself that its lease has run out: it counts from before the
 * message that began the lease, and the server lets go `LEASE_GRACE_MS` later.
 */
export async function toLease(
  pulled: PulledMessage,
  surroundings: LeaseSurroundings,
): Promise<LeasedWork> {
  const { leaseMs, ackWaitMs, run, bury, wake } = surroundings;
  const serverMs = leaseMs + LEASE_GRACE_MS;
  const { reply } = pulled;
  const work = toWork(pulled);
  const attempt = readDeliveries(reply);
  let untilMs = pulled.receivedMs + Math.min(leaseMs, ackWaitMs);
  let isSettled = false;

  const say = (words: string) =>
    run(async ({ connection }, leftMs) => {
      await connection.request(reply, words, { timeout: leftMs });
    });
  const isLost = () => isSettled || performance.now() >= untilMs;
  const extend = (): Promise<boolean> =>
    run(async ({ connection }, leftMs) => {
      if (isLost()) return false;
      const sentMs = performance.now();
      const words = serverMs === ackWaitMs ? WORKING : toDelayed(serverMs);
      await connection.request(reply, words, { timeout: leftMs });
      if (isLost()) return false;
      untilMs = sentMs + leaseMs;
      return true;
    });
  /** Once only, unless it fails. */
  const settle = async (act: () => Promise<void>) => {
    isSettled = true;
    try {
      await act();
    } catch (error) {
      isSettled = false;
      throw error;
    }
  };

  if (serverMs !== ackWaitMs) await extend();
  return {
    ...work,
    attempt,
    extend,
    done: async () => {
      // Also when the lease is lost: the work is done, and whoever has it now need not do it again.
      if (!isSettled) await settle(() => say(DONE));
    },
    retry: async (delayMs) => {
      if (isLost()) return;
      await settle(() => say(delayMs > 0 ? toDelayed(delayMs) : AGAIN));
      if (delayMs <= 0) await wake();
    },
    bury: async (reason) => {
      if (isLost()) return;
      await settle(async () => {
        await bury(work, attempt, reason);
        await say(DONE);
      });
    },
  };
}

function toWork({ message }: PulledMessage): WorkMessage {
  const { lane, token } = readWorkSubject(message.subject);
  const id = decodeId(message.headers?.get(ID_HEADER) || token);
  return { id, lane, body: message.string() };
}

/**
 * How often the server has handed a message out, from the subject of its acks (ADR-15 of NATS): `$JS.ACK.<stream>.<consumer>.<n>.…`,
 * newer with domain and account before the stream.
 */
function readDeliveries(reply: string): number {
  const words = reply.split(".");
  return Number(words.length > 9 ? words[6] : words[4]) || 1;
}

function toDelayed(delayMs: number): string {
  return `${AGAIN} {"delay": ${Math.ceil(delayMs) * NANOS_PER_MS}}`;
}
