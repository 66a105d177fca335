import { SluiceError } from "../../src/core/errors.ts";
import type {
  PendingCommand,
  ReleaseStore,
  ReplicaObservation,
  StoredRelease,
} from "../../src/core/ports/release-store.ts";
import type { ReleaseEvent } from "../../src/core/releases/decision.ts";
import { isFinishedPhase } from "../../src/core/releases/release-phase.ts";

const KEPT_EVENTS = 1000;

interface Kept {
  release: StoredRelease;
  readonly events: ReleaseEvent[];
  commands: PendingCommand[];
  observations: ReplicaObservation[];
}

/** Releases in memory, for tests that want to see what is stored, and to have it fail. Keeps the promises of the port. */
export class MemoryReleaseStore implements ReleaseStore {
  readonly description = "memory";
  /** Ids of the events that were put into the outbox. */
  readonly outbox: string[] = [];
  /** While true, every call fails as it does when a database is away. */
  isDown = false;
  readonly #releases = new Map<string, Kept>();
  readonly #leases = new Map<string, { readonly holder: string; readonly untilMs: number }>();
  readonly #commandIds = new Set<string>();
  #changes = 0;

  async create(...[plan, state, events]: Parameters<ReleaseStore["create"]>) {
    this.#assertUp();
    const isOpen = (kept: Kept) => !isFinishedPhase(kept.release.state.phase);
    const ofModel = [...this.#releases.values()].filter(
      (kept) => kept.release.state.model === state.model,
    );
    if (ofModel.some(isOpen)) return undefined;
    const release: StoredRelease = structuredClone({ plan, state, analysis: null, revision: 1 });
    this.#releases.set(state.id, { release, events: [], commands: [], observations: [] });
    this.#changes++;
    this.outbox.push(...events.map(({ event }) => event.id));
    return release;
  }

  async find(id: string) {
    this.#assertUp();
    return this.#releases.get(id)?.release;
  }

  async list({ model, after, limit }: Parameters<ReleaseStore["list"]>[0]) {
    this.#assertUp();
    const all = this.#newestFirst();
    const start = after === undefined ? 0 : all.findIndex(({ state }) => state.id === after) + 1;
    return all
      .slice(start)
      .filter(({ state }) => model === undefined || state.model === model)
      .slice(0, limit);
  }

  async listCurrent() {
    this.#assertUp();
    const seen = new Set<string>();
    return this.#newestFirst().filter(({ state }) => {
      const isNewest = !seen.has(state.model);
      seen.add(state.model);
      return isNewest;
    });
  }

  async readRevision() {
    this.#assertUp();
    return this.#changes;
  }

  async save(...[id, expectedRevision, change, events]: Parameters<ReleaseStore["save"]>) {
    this.#assertUp();
    const kept = this.#releases.get(id);
    if (kept === undefined || kept.release.revision !== expectedRevision) return undefined;
    const { state, plan, analysis, event, endsCommand } = structuredClone(change);
    kept.release = {
      plan: plan ?? kept.release.plan,
      state,
      analysis: analysis === undefined ? kept.release.analysis : analysis,
      revision: expectedRevision + 1,
    };
    this.#changes++;
    if (event !== undefined) kept.events.unshift(event);
    kept.events.splice(KEPT_EVENTS);
    kept.commands = kept.commands.filter((pending) => pending.id !== endsCommand);
    this.outbox.push(...events.map((outgoing) => outgoing.event.id));
    return kept.release;
  }

  async removeFinished(keep: number, limit: number) {
    this.#assertUp();
    const seen = new Map<string, number>();
    const old = this.#newestFirst().filter(({ state }) => {
      if (!isFinishedPhase(state.phase)) return false;
      const place = (seen.get(state.model) ?? 0) + 1;
      seen.set(state.model, place);
      return place > keep;
    });
    const removed = old.toReversed().slice(0, limit);
    for (const { state } of removed) this.#releases.delete(state.id);
    return removed.length;
  }

  async history(id: string, limit: number) {
    this.#assertUp();
    return this.#releases.get(id)?.events.slice(0, limit) ?? [];
  }

  async addCommand(releaseId: string, pending: PendingCommand) {
    this.#assertUp();
    if (this.#commandIds.has(pending.id)) return;
    this.#commandIds.add(pending.id);
    this.#releases.get(releaseId)?.commands.push(pending);
  }

  async findCommand(releaseId: string) {
    this.#assertUp();
    return this.#releases.get(releaseId)?.commands[0];
  }

  async acquireLease(...[name, holder, nowMs, ttlMs]: Parameters<ReleaseStore["acquireLease"]>) {
    this.#assertUp();
    const lease = this.#leases.get(name);
    if (lease !== undefined && lease.holder !== holder && lease.untilMs > nowMs) return false;
    this.#leases.set(name, { holder, untilMs: nowMs + ttlMs });
    return true;
  }

  async releaseLease(name: string, holder: string) {
    this.#assertUp();
    if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
  }

  async observe(releaseId: string, observation: ReplicaObservation) {
    this.#assertUp();
    const kept = this.#releases.get(releaseId);
    if (kept === undefined) return;
    const { replica, windowStartedAtMs } = observation;
    const newestMs = Math.max(...kept.observations.map((one) => one.windowStartedAtMs), 0);
    if (windowStartedAtMs < newestMs) return;
    kept.observations = kept.observations
      .filter((one) => one.replica !== replica && one.windowStartedAtMs >= windowStartedAtMs)
      .concat(observation)
      .toSorted((one, other) => (one.replica < other.replica ? -1 : 1));
  }

  async readObservations(releaseId: string, windowStartedAtMs: number) {
    this.#assertUp();
    const all = this.#releases.get(releaseId)?.observations ?? [];
    return all.filter((one) => one.windowStartedAtMs === windowStartedAtMs);
  }

  #newestFirst(): readonly StoredRelease[] {
    return [...this.#releases.values()].map(({ release }) => release).toReversed();
  }

  #assertUp(): void {
    if (this.isDown) throw new SluiceError("unavailable", "The database is away.");
  }
}
