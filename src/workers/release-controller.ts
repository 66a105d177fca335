import { toSluiceError } from "../core/errors.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ReleasePorts } from "../core/releases/advance-release.ts";
import { advanceRelease } from "../core/releases/advance-release.ts";
import { isFinishedPhase } from "../core/releases/release-phase.ts";
import type { ReleaseFollower } from "./release-follower.ts";
import { startLooking } from "./release-follower.ts";

export interface ReleaseControllerOptions extends Omit<ReleasePorts, "mayDecide"> {
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** Unique to this process and its start. */
  readonly replica: string;
  readonly pollMs: number;
  /** How long nobody else decides after this process has said that it does. */
  readonly leaseMs: number;
  /** Releases of a model that stay once they have ended. */
  readonly keepFinished: number;
}

/** The lease that whoever decides about releases holds. */
const LEASE = "release-controller";
const LOOKS_PER_LEASE = 4;
/** From one time that old releases are removed to the next, and how many at a time. */
const CLEAN_INTERVAL_MS = 60_000;
const CLEANED_AT_ONCE = 20;

/**
 * Decides about releases for as long as this process has the lease; others wait until it is given up or runs out. What is
 * decided is stored before it happens, so that the next one goes on where this one stopped. Who loses the lease in the middle of
 * a decision does not store it; should two decide at once all the same, the store takes the first decision only.
 */
export function startReleaseController(options: ReleaseControllerOptions): ReleaseFollower {
  const { store, epochMs, logger, replica, clock, leaseMs } = options;
  // A look that waits for a hook takes as long as the pause after it; both together must not outlast the lease.
  const pollMs = Math.min(options.pollMs, leaseMs / LOOKS_PER_LEASE);
  const advancing = new Map<string, Promise<void>>();
  let isDark = false;
  /** In the look under way. */
  let hasFailed = false;
  /** By the clock of this process; whoever else may take the lease then. */
  let leadsUntilMs = Number.NEGATIVE_INFINITY;
  let isStopping = false;
  const mayDecide = () => !isStopping && epochMs() < leadsUntilMs;
  const ports = { ...options, pollMs, mayDecide };
  let cleanedAtMs = Number.NEGATIVE_INFINITY;
  const cleanNowAndThen = async () => {
    if (epochMs() - cleanedAtMs < CLEAN_INTERVAL_MS) return;
    const removed = await store.removeFinished(options.keepFinished, CLEANED_AT_ONCE);
    // There may be more; those go at the next look.
    if (removed < CLEANED_AT_ONCE) cleanedAtMs = epochMs();
  };
  const report = (thrown: unknown) => {
    const { message: reason } = toSluiceError(thrown);
    if (!isDark)
      logger.warn("Nobody can decide about releases; they stay as they are.", { reason });
    isDark = true;
    hasFailed = true;
  };
  const lookOnce = async () => {
    hasFailed = false;
    try {
      const nowMs = epochMs();
      const leads = await store.acquireLease(LEASE, replica, nowMs, leaseMs);
      leadsUntilMs = leads ? nowMs + leaseMs : Number.NEGATIVE_INFINITY;
      if (leads) {
        await advanceAll(ports, advancing, report);
        await cleanNowAndThen();
      }
      if (hasFailed) return;
      if (isDark) logger.info("Releases are decided about again.", {});
      isDark = false;
    } catch (thrown) {
      report(thrown);
    }
  };
  const looking = startLooking(lookOnce, { clock, pollMs });
  return {
    look: looking.look,
    stop: async () => {
      // A hook that is not waited for any more has said nothing: that must not count against the candidate.
      isStopping = true;
      await looking.stop();
      await Promise.all(advancing.values());
      // The next one need not wait.
      if (epochMs() < leadsUntilMs) await store.releaseLease(LEASE, replica).catch(() => {});
    },
  };
}

/**
 * Takes every open release as far as it goes. Nobody waits for one that waits for a hook: the lease is kept, and other
 * releases go on. It is interrupted by what cannot wait; then the store refuses what came of the hook.
 */
async function advanceAll(
  options: ReleaseControllerOptions & ReleasePorts,
  advancing: Map<string, Promise<void>>,
  report: (thrown: unknown) => void,
): Promise<void> {
  const { store, readHealth } = options;
  const steps: Promise<void>[] = [];
  for (const release of await store.listCurrent()) {
    const { id, phase } = release.state;
    if (isFinishedPhase(phase)) continue;
    const isUrgent =
      readHealth(release).candidateFailure !== null || (await store.findCommand(id)) !== undefined;
    if (advancing.has(id) && !isUrgent) continue;
    const step: Promise<void> = advanceRelease(release, options)
      .then(() => {}, report)
      .finally(() => {
        if (advancing.get(id) === step) advancing.delete(id);
      });
    advancing.set(id, step);
    steps.push(step);
  }
  // Steps without hooks are over in no time; then whoever looked sees what came of them.
  await Promise.race([Promise.all(steps), sleep(options)]);
}

function sleep({ clock, pollMs }: ReleaseControllerOptions): Promise<void> {
  return new Promise((resolve) => clock.setTimer(pollMs, resolve));
}
