import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { PendingCommand, ReleaseStore, StoredRelease } from "../ports/release-store.ts";
import type { Analysis } from "./analyse.ts";
import { analyse } from "./analyse.ts";
import { decide } from "./decide.ts";
import type { Decision, HookAnswer, ReleaseEvent } from "./decision.ts";
import { EMPTY_OBSERVATION, mergeObservations } from "./observation.ts";
import type { HookType, ReleasePlan } from "./release-plan.ts";
import { isCheckDue } from "./situation.ts";
import type { Readiness } from "./to-traffic-split.ts";

/** How the two versions of a release are in this process. */
export interface VersionHealth {
  readonly ready: Readiness;
  /** Why the candidate cannot be loaded, or broke; null while it may still become ready. */
  readonly candidateFailure: string | null;
}

/** What whoever decides needs beside the release itself. */
export interface ReleasePorts {
  readonly store: ReleaseStore;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  readonly readHealth: (release: StoredRelease) => VersionHealth;
  /** Asks all hooks of a type at the same time. Never rejects: a hook that cannot be reached has refused. */
  readonly askHooks: (release: StoredRelease, type: HookType) => Promise<HookAnswer>;
  /** What is to be told to others of a decision. */
  readonly toOutgoing: (event: ReleaseEvent) => readonly OutgoingEvent[];
  /** Hears of every decision that was stored. Never throws, never waits. */
  readonly decided: (release: StoredRelease, event: ReleaseEvent) => void;
}

/** More hooks than there are types of them, and as many phases, can hardly come in one go. */
const MAX_TURNS = 24;

/**
 * Takes a release as far as it goes just now: decides, stores what was decided, and decides again with what hooks have
 * said. What is stored is what everybody routes by, so nothing happens before it is.
 *
 * @returns the release as it is then; undefined when somebody else was faster, who goes on with it
 * @throws SluiceError `unavailable` while the store cannot be reached
 */
export async function advanceRelease(
  release: StoredRelease,
  ports: ReleasePorts,
): Promise<StoredRelease | undefined> {
  const { store } = ports;
  const answers: HookAnswer[] = [];
  let current = release;
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const pending = await store.findCommand(current.state.id);
    const { analysis, decision } = await decideNow(current, { pending, answers }, ports);
    const stored = await storeDecision(current, { analysis, pending, decision }, ports);
    if (stored === undefined) return undefined;
    current = stored;
    const { action, event } = decision;
    if (event !== null) ports.decided(current, event);
    if (action.kind !== "run_hook") return current;
    answers.push(await ports.askHooks(current, action.hook));
  }
  return current;
}

interface Known {
  readonly pending: PendingCommand | undefined;
  readonly answers: readonly HookAnswer[];
}

async function decideNow(
  release: StoredRelease,
  { pending, answers }: Known,
  ports: ReleasePorts,
): Promise<{ readonly analysis: Analysis | null; readonly decision: Decision }> {
  const { plan, state } = release;
  const nowMs = ports.epochMs();
  const analysis = isCheckDue(state, plan, nowMs) ? await analyseNow(release, ports.store) : null;
  const decision = decide(state, analysis, plan, nowMs, {
    ...ports.readHealth(release),
    command: pending?.command ?? null,
    hookAnswers: answers,
    canReplay: false,
    wasReplayed: false,
  });
  return { analysis, decision };
}

/** What all replicas have seen since the window began, judged. */
async function analyseNow({ plan, state }: StoredRelease, store: ReleaseStore): Promise<Analysis> {
  const seen = await store.readObservations(state.id, state.windowStartedAtMs);
  let stable = EMPTY_OBSERVATION;
  let candidate = EMPTY_OBSERVATION;
  for (const one of seen) {
    stable = mergeObservations(stable, one.stable);
    candidate = mergeObservations(candidate, one.candidate);
  }
  return analyse(plan, stable, candidate, { look: state.looks + 1, queries: new Map() });
}

interface Decided {
  readonly analysis: Analysis | null;
  readonly pending: PendingCommand | undefined;
  readonly decision: Decision;
}

async function storeDecision(
  release: StoredRelease,
  { analysis, pending, decision }: Decided,
  { store, toOutgoing }: ReleasePorts,
): Promise<StoredRelease | undefined> {
  const { action, next, event } = decision;
  // A hook that was asked for changes nothing: the next process would ask again.
  const hasNews = event !== null || pending !== undefined || next !== release.state;
  if (!hasNews) return release;
  const { id } = release.state;
  const plan = planAfter(release.plan, decision);
  const isTold = analysis !== null && action.kind !== "run_hook";
  return await store.save(
    id,
    release.revision,
    {
      state: next,
      ...(plan !== release.plan && { plan }),
      ...(isTold && { analysis }),
      ...(event !== null && { event }),
      ...(pending !== undefined && action.kind !== "run_hook" && { endsCommand: pending.id }),
    },
    event === null ? [] : toOutgoing(event),
  );
}

/** A release that begins again with another candidate is decided by a plan that names it. */
function planAfter(plan: ReleasePlan, { action }: Decision): ReleasePlan {
  return action.kind === "restart" ? { ...plan, candidate: action.candidate } : plan;
}
