import type { LeasedWork, WorkLane, WorkQueue } from "../../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../../core/ports/work-queue.ts";
import type { LeaseSurroundings } from "./lease.ts";
import { toLease } from "./lease.ts";
import type { JetStreamSession } from "./session.ts";
import type { WakeBell } from "./wake-bell.ts";

export interface TakerOptions {
  readonly session: JetStreamSession;
  /** Rings when there may be work, and when the queue is closed. */
  readonly bell: WakeBell;
  readonly bury: LeaseSurroundings["bury"];
  isClosed(): boolean;
}

/** Messages of one pull. */
const PULL_AT_ONCE = 256;
/** How often to look for work whose delay or lease has passed: nobody tells of that. */
const POLL_MS = 250;
/** After so many turns one is given to the lower lanes. */
const TURNS = 8;

/** The `take` of a queue. */
export function createTake({ session, bell, bury, isClosed }: TakerOptions): WorkQueue["take"] {
  let turn = 0;
  const surroundings = {
    run: session.run.bind(session),
    wake: () => session.wake(),
    bury,
  };
  const pull = async (lane: WorkLane, batch: number, leaseMs: number, isOnce: boolean) => {
    const { pulled, ackWaitMs } = await session.run(
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
  return async ({ max, waitMs, leaseMs }) => {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      if (isClosed()) return [];
      const { rings } = bell;
      const taken = await takeOnce(max, leaseMs);
      const restMs = untilMs - performance.now();
      if (taken.length > 0 || restMs <= 0) return taken;
      await bell.sleep(rings, Math.min(POLL_MS, restMs));
    }
  };
}

/** Which lane goes first, now. Each of the lower lanes has its turns, else the middle one could starve. */
function toOrder(turn: number): readonly WorkLane[] {
  if ((turn + 1) % TURNS !== 0) return WORK_LANES;
  return (turn + 1) % (2 * TURNS) === 0 ? ["low", "normal", "high"] : ["normal", "low", "high"];
}
