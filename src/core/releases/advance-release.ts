import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { PendingCommand, ReleaseStore, StoredRelease } from "../ports/release-store.ts";
import type { Analysis } from "./analyse.ts";
import { analyse } from "./analyse.ts";
import { decide } from "./decide.ts";
import type { Decision, HookAnswer, ReleaseEvent } from "./decision.ts";
import type { Observation } from "./observation.ts";
import { EMPTY_OBSERVATION, mergeObservations } from "./observation.ts";
import type { EvidenceSources, VersionEvidence } from "./release-evidence.ts";
import { isFinishedPhase } from "./release-phase.ts";
import type { HookType, ReleasePlan } from "./release-plan.ts";
import { hasGates, isCheckDue } from "./situation.ts";
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
  /** Whether it is still for this process to decide: what it decides when it is not any more is not stored. */
  readonly mayDecide: () => boolean;
  readonly readHealth: (release: StoredRelease) => VersionHealth;
  /** Asks all hooks of a type at the same time. Never rejects: a hook that cannot be reached has refused. */
  readonly askHooks: (release: StoredRelease, type: HookType) => Promise<HookAnswer>;
  readonly evidence: EvidenceSources;
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
 * @returns the release as it is then; undefined when somebody else was faster or decides from now on, who goes on with it
 * @throws SluiceError `unavailable` while the store cannot be reached
 */
export async function advanceRelease(
  release: StoredRelease,
  ports: ReleasePorts,
): Promise<StoredRelease | undefined> {
  const { store } = ports;
  const answers: HookAnswer[] = [];
  let current = release;
  let wasReplayed = false;
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const pending = await store.findCommand(current.state.id);
    const known = { pending, answers, wasReplayed };
    const { analysis, decision } = await decideNow(current, known, ports);
    const stored = await storeDecision(current, { analysis, pending, decision }, ports);
    if (stored === undefined) return undefined;
    current = stored;
    const { action, event } = decision;
    if (event !== null) ports.decided(current, event);
    if (action.kind === "run_hook") answers.push(await ports.askHooks(current, action.hook));
    else if (action.kind === "replay") {
      await ports.evidence.replay(current, action.maxTexts);
      wasReplayed = true;
    } else return current;
  }
  return current;
}

interface Known {
  readonly pending: PendingCommand | undefined;
  readonly answers: readonly HookAnswer[];
  readonly wasReplayed: boolean;
}

async function decideNow(
  release: StoredRelease,
  { pending, answers, wasReplayed }: Known,
  ports: ReleasePorts,
): Promise<{ readonly analysis: Analysis | null; readonly decision: Decision }> {
  const { plan, state } = release;
  // What goes back at once must not wait for evidence.
  const isUrgent = pending !== undefined || !ports.readHealth(release).ready.candidate;
  const analysis =
    !isUrgent && needsAnalysis(release, ports.epochMs()) ? await analyseNow(release, ports) : null;
  const canReplay =
    analysis !== null && analysis.missingSamples > 0 && plan.replay.kind === "sample"
      ? await ports.evidence.canReplay(release)
      : false;
  // Evidence may have taken a while.
  const decision = decide(state, analysis, plan, ports.epochMs(), {
    ...ports.readHealth(release),
    command: pending?.command ?? null,
    hookAnswers: answers,
    canReplay,
    wasReplayed,
  });
  return { analysis, decision };
}

/** At every check, and before the first step where a set of texts may keep it from being taken. */
function needsAnalysis({ plan, state }: StoredRelease, nowMs: number): boolean {
  if (isFinishedPhase(state.phase) || state.phase === "paused") return false;
  if (isCheckDue(state, plan, nowMs)) return true;
  const isFirst = state.phase === "progressing" && state.step === 0 && state.checks === 0;
  return isFirst && hasGates(plan);
}

/** What all replicas have seen since the window began, and what is known beside it, judged. */
async function analyseNow(release: StoredRelease, ports: ReleasePorts): Promise<Analysis> {
  const { plan, state } = release;
  const [seen, extra] = await Promise.all([
    ports.store.readObservations(state.id, state.windowStartedAtMs),
    ports.evidence.gather(release),
  ]);
  let stable = withEvidence(EMPTY_OBSERVATION, extra.stable);
  let candidate = withEvidence(EMPTY_OBSERVATION, extra.candidate);
  for (const one of seen) {
    // A replica of an earlier version may leave out what it does not know.
    stable = mergeObservations(stable, { ...EMPTY_OBSERVATION, ...one.stable });
    candidate = mergeObservations(candidate, { ...EMPTY_OBSERVATION, ...one.candidate });
  }
  const { queries } = extra;
  return analyse(plan, stable, candidate, { look: state.looks + 1, queries });
}

function withEvidence(seen: Observation, { gates, feedback }: VersionEvidence): Observation {
  return { ...seen, gates, feedback };
}

interface Decided {
  readonly analysis: Analysis | null;
  readonly pending: PendingCommand | undefined;
  readonly decision: Decision;
}

async function storeDecision(
  release: StoredRelease,
  { analysis, pending, decision }: Decided,
  { store, toOutgoing, mayDecide }: ReleasePorts,
): Promise<StoredRelease | undefined> {
  const { action, next, event } = decision;
  // A hook that was asked for changes nothing: the next process would ask again.
  const hasNews = event !== null || pending !== undefined || next !== release.state;
  if (!hasNews) return release;
  // Evidence and hooks may have taken longer than the lease; whoever has it looks at newer numbers.
  if (!mayDecide()) return undefined;
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
      // What was said of the candidate before says nothing about this one.
      ...(action.kind === "restart" && { analysis: null }),
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
