import type { FieldProblem } from "../errors.ts";
import { SluiceError } from "../errors.ts";
import type { ModelRegistry } from "../models/registry.ts";
import { describeKindChange } from "../models/version-kind.ts";
import type { Clock } from "../ports/clock.ts";
import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { ReleaseRange, ReleaseStore, StoredRelease } from "../ports/release-store.ts";
import { assertMetricsFit } from "./assert-metrics-fit.ts";
import type { ReleaseEvent } from "./decision.ts";
import { refusePlan } from "./refuse-plan.ts";
import type { ReleaseCommand } from "./release-command.ts";
import { findCommandProblem } from "./release-command.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { createReleaseState } from "./release-state.ts";
import type { ReleaseTraffic } from "./release-traffic.ts";
import { isReady } from "./release-traffic.ts";
import type { Readiness } from "./to-traffic-split.ts";

/** What people can do with releases. Every method throws SluiceError `unavailable` while the store cannot be reached. */
export interface ReleaseService {
  /**
   * Starts a release of the plan's candidate, against the version that answers now.
   *
   * @param by who wants it, for the history
   * @throws SluiceError `invalid_argument` for a candidate that cannot go live, `conflict` while the model has a release
   */
  start(plan: ReleasePlan, by: string): Promise<StoredRelease>;
  /** @throws SluiceError `not_found` */
  find(id: string): Promise<StoredRelease>;
  /** Newest first. */
  list(range: ReleaseRange): Promise<readonly StoredRelease[]>;
  /** Decisions, newest first. @throws SluiceError `not_found` */
  history(id: string, limit: number): Promise<readonly ReleaseEvent[]>;
  /**
   * Has a command followed, and waits a moment until it is.
   *
   * @returns the release afterwards; as it was when whoever decides is not there
   * @throws SluiceError `conflict` when it cannot be followed in this phase
   */
  command(id: string, command: ReleaseCommand): Promise<StoredRelease>;
}

export interface ReleaseServiceOptions {
  readonly store: ReleaseStore;
  readonly registry: ModelRegistry;
  readonly traffic: ReleaseTraffic;
  readonly clock: Pick<Clock, "epochMs" | "setTimer">;
  /** Unique, and in the order of time. */
  readonly createId: () => string;
  readonly toOutgoing: (event: ReleaseEvent) => readonly OutgoingEvent[];
  readonly sources: PlanSources;
  /** Has whoever decides here look at once. */
  readonly changed: () => void;
}

/** What metrics of plans may ask. */
export interface PlanSources {
  /** Whether there is a server of metrics. */
  readonly hasMetrics: boolean;
  readonly hasGateSet: (name: string) => Promise<boolean>;
}

/** For how long, and how often, to look whether a command was followed. */
const COMMAND_LOOKS = 40;
const COMMAND_LOOK_MS = 50;

/** Starts releases, and hands on what people want of them. */
export function createReleaseService(options: ReleaseServiceOptions): ReleaseService {
  const { store, registry, clock, createId, changed } = options;
  const find = async (id: string) => (await store.find(id)) ?? unknownRelease(id);
  return {
    find,
    list: (range) => store.list(range),
    history: async (id, limit) => {
      await find(id);
      return await store.history(id, limit);
    },
    start: async (plan, _by) => {
      const { model, candidate } = plan;
      const stable = assertCanStart(plan, options);
      await assertSources(plan, options.sources);
      const state = createReleaseState(
        { id: createId(), model, stable, candidate },
        clock.epochMs(),
      );
      const stored = await store.create(plan, state, []);
      if (stored === undefined) throw await runsAlready(model, store);
      changed();
      return stored;
    },
    command: async (id, command) => {
      const { plan, state } = await find(id);
      const ready = readReadiness(registry, state);
      const problem = findCommandProblem(state, command, ready);
      if (problem !== null) throw new SluiceError("conflict", problem);
      if (command.kind === "new_candidate") {
        assertCandidate({ ...plan, candidate: command.candidate }, state.stable, registry);
      }
      const commandId = createId();
      await store.addCommand(id, { id: commandId, command });
      changed();
      for (let look = 0; look < COMMAND_LOOKS; look++) {
        const pending = await store.findCommand(id);
        if (pending === undefined) break;
        await new Promise<void>((resolve) => clock.setTimer(COMMAND_LOOK_MS, resolve));
      }
      return await find(id);
    },
  };
}

/** Which of a release's versions can answer in this process. */
export function readReadiness(
  registry: ModelRegistry,
  release: { readonly model: string; readonly stable: string; readonly candidate: string },
): Readiness {
  const { model, stable, candidate } = release;
  return {
    stable: isReady(registry, model, stable),
    candidate: isReady(registry, model, candidate),
  };
}

/** @returns the stable version */
function assertCanStart(plan: ReleasePlan, { registry, traffic }: ReleaseServiceOptions): string {
  const { model } = plan;
  const split = traffic.find(model)?.split;
  const last = split && (split.candidateWeight >= 100 ? split.candidate : split.stable);
  const versions = registry.list().filter((one) => one.model === model);
  if (versions.length === 0) {
    throw refusePlan("model", "is no model with versions of its own; GET /v1/models lists them");
  }
  const stable =
    last !== undefined && isReady(registry, model, last) ? last : findDefault(model, registry);
  assertCandidate(plan, stable, registry);
  assertMetricsFit(plan, registry);
  return stable;
}

function assertCandidate(plan: ReleasePlan, stable: string, registry: ModelRegistry): void {
  const { model, candidate } = plan;
  if (candidate === stable) {
    throw refusePlan("candidate", `is the version that answers already; found ${candidate}`);
  }
  const versions = registry.list().filter((one) => one.model === model);
  const found = versions.find(({ version }) => version === candidate);
  if (found === undefined) {
    const known = versions.map(({ version }) => version).join(", ");
    throw refusePlan("candidate", `is no version of ${model}; there are ${known}`);
  }
  if (found.state === "failed") {
    throw refusePlan("candidate", `cannot be served: ${found.reason ?? "it failed"}`);
  }
  const before = versions.find(({ version }) => version === stable);
  const isLoaded = found.state === "ready" && before?.state === "ready";
  const change = isLoaded ? describeKindChange(before, found) : undefined;
  if (change !== undefined) {
    throw refusePlan("candidate", `${change}, compared with ${stable}; callers could not tell`);
  }
}

/** @throws SluiceError that says why nothing answers now */
function findDefault(model: string, registry: ModelRegistry): string {
  const { serving, tensors } = registry.resolveAny(model, undefined);
  const found = serving?.manifest ?? tensors?.manifest;
  if (found === undefined) throw new SluiceError("internal", `${model} is ready without a model.`);
  return found.version;
}

/** Metrics whose source is not there would never come to a verdict. */
async function assertSources({ metrics }: ReleasePlan, sources: PlanSources): Promise<void> {
  const details: FieldProblem[] = [];
  for (const [at, metric] of metrics.entries()) {
    if (metric.kind === "gate_accuracy" && !(await sources.hasGateSet(metric.gateSet))) {
      const problem = `is no gate set; PUT /v1/gate-sets/${metric.gateSet} makes it`;
      details.push({ field: `metrics[${at}].gate_set`, problem });
    }
    if (metric.kind === "query" && !sources.hasMetrics) {
      const problem = "needs a server of metrics; set releases.metricsUrl";
      details.push({ field: `metrics[${at}].kind`, problem });
    }
  }
  const [first] = details;
  if (first === undefined) return;
  const message = `${first.field} ${first.problem}.`;
  throw new SluiceError("invalid_argument", message, { details });
}

async function runsAlready(model: string, store: ReleaseStore): Promise<SluiceError> {
  const [running] = await store.list({ model, limit: 1 });
  const name = running === undefined ? "A release" : `The release ${running.state.id}`;
  return new SluiceError("conflict", `${name} of ${model} is under way; end it first.`);
}

function unknownRelease(_id: string): never {
  throw new SluiceError("not_found", "There is no such release; GET /v1/releases lists them.");
}
