import type { Analysis } from "../releases/analyse.ts";
import type { ReleaseEvent } from "../releases/decision.ts";
import type { Observation } from "../releases/observation.ts";
import type { ReleaseCommand } from "../releases/release-command.ts";
import type { ReleasePlan } from "../releases/release-plan.ts";
import type { ReleaseState } from "../releases/release-state.ts";
import type { OutgoingEvent } from "./event-outbox.ts";

/** A release as it was last stored. */
export interface StoredRelease {
  readonly plan: ReleasePlan;
  readonly state: ReleaseState;
  /** What the last check was decided on; null before the first one. */
  readonly analysis: Analysis | null;
  /** Grows with every change of this release; from 1. */
  readonly revision: number;
}

/** What is stored in one transaction when a release goes on. */
export interface ReleaseChange {
  readonly state: ReleaseState;
  /** Only where it has changed. */
  readonly plan?: ReleasePlan;
  /** Null where the last one says nothing any more: a release that begins again. */
  readonly analysis?: Analysis | null;
  /** Appended to the history. */
  readonly event?: ReleaseEvent;
  /** Id of the command that was followed: it is gone with this change, and not before. */
  readonly endsCommand?: string;
}

/** A command that nobody has followed yet. */
export interface PendingCommand {
  readonly id: string;
  readonly command: ReleaseCommand;
}

/** Part of the list of releases, newest first. */
export interface ReleaseRange {
  readonly model?: string;
  /** Only releases behind this id in the list. */
  readonly after?: string;
  /** 1 to 1000. */
  readonly limit: number;
}

/** What one replica has seen of both versions since a window began: running totals, which replace its earlier ones. */
export interface ReplicaObservation {
  /** Unique to the process, and to its start: counts begin again with it. Replays have a name of their own. */
  readonly replica: string;
  /** As in `ReleaseState`. */
  readonly windowStartedAtMs: number;
  readonly stable: Observation;
  readonly candidate: Observation;
}

/**
 * Keeps releases, durably: what a settled call wrote survives the end of the process.
 *
 * Concurrency: calls may overlap freely, from any number of processes; every method is atomic.
 * Errors: SluiceError `unavailable` while the store cannot be reached.
 */
export interface ReleaseStore {
  readonly description: string;
  /**
   * Stores a release that begins.
   *
   * @returns undefined, and nothing is written, when its model has one that is not finished
   */
  create(
    plan: ReleasePlan,
    state: ReleaseState,
    events: readonly OutgoingEvent[],
  ): Promise<StoredRelease | undefined>;
  find(id: string): Promise<StoredRelease | undefined>;
  list(range: ReleaseRange): Promise<readonly StoredRelease[]>;
  /** The newest release of every model that has any: what replicas route by. */
  listCurrent(): Promise<readonly StoredRelease[]>;
  /** A number that grows whenever any release changes; 0 before the first one. Cheap: it is read several times a second. */
  readRevision(): Promise<number>;
  /**
   * Goes on with a release that nobody has changed since it was read with this revision.
   *
   * @param events put into the outbox in the same transaction
   * @returns undefined, and nothing is written, when somebody has, or there is no such release
   */
  save(
    id: string,
    expectedRevision: number,
    change: ReleaseChange,
    events: readonly OutgoingEvent[],
  ): Promise<StoredRelease | undefined>;
  /**
   * Removes releases that have ended, with their history: of every model all but the newest `keep` of them, the oldest first.
   *
   * @param keep 1 or more, since replicas route by the newest
   * @param limit how many at most, so that it keeps nobody waiting; 1 to 100
   * @returns how many were removed
   */
  removeFinished(keep: number, limit: number): Promise<number>;
  /** Decisions, newest first; the newest 1,000 of a release are kept. @param limit 1 to 1000 */
  history(id: string, limit: number): Promise<readonly ReleaseEvent[]>;
  /** Has whoever decides follow a command, in the order in which they came. One whose id is there already is not stored again. */
  addCommand(releaseId: string, pending: PendingCommand): Promise<void>;
  /** The oldest command that no change has ended; undefined when there is none. */
  findCommand(releaseId: string): Promise<PendingCommand | undefined>;
  /**
   * Takes a lease, or keeps it. Times are those of the caller's clock, so that clocks may differ by much less than `ttlMs`.
   *
   * @returns whether `holder` has it until `nowMs + ttlMs`
   */
  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number): Promise<boolean>;
  /** Gives a lease up; nothing when somebody else has it. */
  releaseLease(name: string, holder: string): Promise<void>;
  /** Replaces what this replica has seen in this window; windows of the release that began earlier are forgotten. */
  observe(releaseId: string, observation: ReplicaObservation): Promise<void>;
  /** What all replicas have seen in this window, in the order of their names. */
  readObservations(
    releaseId: string,
    windowStartedAtMs: number,
  ): Promise<readonly ReplicaObservation[]>;
}
