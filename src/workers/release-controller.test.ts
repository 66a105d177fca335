import { afterEach, describe, expect, test } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryReleaseStore } from "../../test/support/memory-release-store.ts";
import type { StoredRelease } from "../core/ports/release-store.ts";
import type { VersionHealth } from "../core/releases/advance-release.ts";
import type { HookAnswer } from "../core/releases/decision.ts";
import { EMPTY_OBSERVATION } from "../core/releases/observation.ts";
import { NO_EVIDENCE } from "../core/releases/release-evidence.ts";
import type { HookType, ReleasePlan } from "../core/releases/release-plan.ts";
import { createPlan } from "../core/releases/release-plan.ts";
import { createReleaseState } from "../core/releases/release-state.ts";
import { startReleaseController } from "./release-controller.ts";
import type { ReleaseFollower } from "./release-follower.ts";

const POLL_MS = 100;
/** In two looks the release begins and takes its first step. */
const BEGIN_MS = 2 * POLL_MS;
const LEASE_MS = 1000;
const INTERVAL_MS = 10_000;
const HEALTHY: VersionHealth = {
  ready: { stable: true, candidate: true },
  candidateFailure: null,
};

const controllers: ReleaseFollower[] = [];
afterEach(async () => {
  for (const one of controllers.splice(0)) void one.stop();
});

function planOf(hooks: readonly HookType[] = []): ReleasePlan {
  const strategy = {
    kind: "canary",
    stepWeight: null,
    maxWeight: null,
    stepWeights: [10, 50],
  } as const;
  const basics = { model: "spam", candidate: "2.0.0", strategy, hasLabels: false, gateSet: null };
  return {
    ...createPlan(basics),
    ...{ intervalMs: INTERVAL_MS, minSamples: 20, replay: { kind: "off" } },
    metrics: [
      { name: "errors", isDecisive: true, kind: "success_rate", minRatio: 0.9, maxDrop: null },
    ],
    hooks: hooks.map((type) => ({
      ...{ name: type, type, url: "https://hooks.example.com", timeoutMs: 1000, retries: 0 },
    })),
  };
}

/** One release, and as many processes as a test wants, each with the same clock. */
async function createBench(hooks: readonly HookType[] = []) {
  const clock = new FakeClock();
  const store = new MemoryReleaseStore();
  const names = { id: "rel_1", model: "spam", stable: "1.0.0", candidate: "2.0.0" };
  await store.create(planOf(hooks), createReleaseState(names, clock.epochMs()), []);
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const start = (
    replica: string,
    ports: {
      readonly askHooks?: (release: StoredRelease, type: HookType) => Promise<HookAnswer>;
      readonly gather?: () => Promise<typeof NO_EVIDENCE>;
      readonly readHealth?: () => VersionHealth;
      readonly pollMs?: number;
    } = {},
  ) => {
    const controller = startReleaseController({
      ...{ store, clock, replica, leaseMs: LEASE_MS, keepFinished: 2 },
      pollMs: ports.pollMs ?? POLL_MS,
      epochMs: () => clock.epochMs(),
      logger: { debug: write, info: write, warn: write, error: write },
      readHealth: ports.readHealth ?? (() => HEALTHY),
      askHooks: ports.askHooks ?? (async (_release, type) => accept(type)),
      evidence: {
        gather: ports.gather ?? (async () => NO_EVIDENCE),
        canReplay: async () => false,
        replay: async () => {},
      },
      toOutgoing: () => [],
      decided: () => {},
    });
    controllers.push(controller);
    return controller;
  };
  /** What callers saw of both versions since the last step. */
  const seeAnswers = async () => {
    const windowStartedAtMs = (await store.find("rel_1"))?.state.windowStartedAtMs ?? 0;
    const seen = { ...EMPTY_OBSERVATION, answered: 1000 };
    const both = { windowStartedAtMs, stable: seen, candidate: seen };
    await store.observe("rel_1", { replica: "traffic", ...both });
  };
  const actions = async () =>
    (await store.history("rel_1", 100)).map(({ action }) => action).toReversed();
  return { clock, store, log, start, seeAnswers, actions };
}

const accept = (type: HookType): HookAnswer => ({ type, isAccepted: true, detail: null });

/** A promise that a test keeps when it wants. */
function createGate<Value>() {
  let open: (value: Value) => void = () => {};
  const passed = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

describe("whoever decides", () => {
  test("takes a release to its end, one step for every check that it passes", async () => {
    const { clock, start, seeAnswers, actions } = await createBench();
    start("a");
    await clock.advance(BEGIN_MS);
    expect(await actions()).toEqual(["start", "advance"]);
    for (let check = 0; check < 3; check++) {
      await seeAnswers();
      await clock.advance(INTERVAL_MS + POLL_MS);
    }
    await clock.advance(POLL_MS);
    const steps = ["start", "advance", "advance", "promote", "finalise", "finish"];
    expect(await actions()).toEqual(steps);
  });

  test("is one of several, and another one goes on when its lease has run out", async () => {
    const { clock, store, start, seeAnswers, actions } = await createBench();
    const asked: string[] = [];
    const gatherAs = (name: string) => async () => {
      asked.push(name);
      return NO_EVIDENCE;
    };
    const first = start("a", { gather: gatherAs("a") });
    await clock.advance(BEGIN_MS);
    start("b", { gather: gatherAs("b") });
    await seeAnswers();
    await clock.advance(INTERVAL_MS + POLL_MS);
    expect(asked).toEqual(["a"]);
    await first.stop();
    await seeAnswers();
    await clock.advance(INTERVAL_MS + POLL_MS);
    expect(asked).toEqual(["a", "b"]);
    expect(await actions()).toEqual(["start", "advance", "advance", "promote"]);
    expect(await store.acquireLease("release-controller", "c", clock.epochMs(), 1)).toBe(false);
  });

  test("stores nothing when it loses the lease in the middle of a decision", async () => {
    const { clock, store, start, seeAnswers, actions } = await createBench();
    const gate = createGate<typeof NO_EVIDENCE>();
    const first = start("a", { gather: () => gate.passed });
    await clock.advance(BEGIN_MS);
    await seeAnswers();
    await clock.advance(INTERVAL_MS);
    const { revision } = (await store.find("rel_1")) ?? {};
    // Another has the lease, and has not decided anything yet.
    await store.releaseLease("release-controller", "a");
    await store.acquireLease("release-controller", "b", clock.epochMs(), 60_000);
    await clock.advance(2 * POLL_MS);
    gate.open(NO_EVIDENCE);
    await clock.advance(POLL_MS);
    expect((await store.find("rel_1"))?.revision).toBe(revision);
    expect(await actions()).toEqual(["start", "advance"]);
    await first.stop();
    // It did not take away what is not its own.
    expect(await store.acquireLease("release-controller", "c", clock.epochMs(), 1)).toBe(false);
  });

  test("that stops while a hook is asked does not count its silence against the candidate", async () => {
    const { clock, store, start, seeAnswers } = await createBench(["rollout"]);
    const gate = createGate<HookAnswer>();
    const first = start("a", { askHooks: () => gate.passed });
    await clock.advance(BEGIN_MS);
    await seeAnswers();
    await clock.advance(INTERVAL_MS);
    const stopped = first.stop();
    gate.open({ type: "rollout", isAccepted: false, detail: "the server stops" });
    await clock.advance(POLL_MS);
    await stopped;
    expect((await store.find("rel_1"))?.state).toMatchObject({ failures: 0, step: 1 });
  });
});

describe("a store that fails", () => {
  test("is tried again, said once, and nothing is skipped when it is back", async () => {
    const { clock, store, log, start, seeAnswers, actions } = await createBench();
    start("a");
    await clock.advance(BEGIN_MS);
    await seeAnswers();
    store.isDown = true;
    await clock.advance(3 * INTERVAL_MS);
    expect(log).toEqual(["Nobody can decide about releases; they stay as they are."]);
    store.isDown = false;
    expect(await actions()).toEqual(["start", "advance"]);
    await clock.advance(2 * POLL_MS);
    expect(log.slice(1)).toEqual(["Releases are decided about again."]);
    expect(await actions()).toEqual(["start", "advance", "advance"]);
  });

  test("in the middle of a decision stores none of it, and the check is made again", async () => {
    const { clock, store, start, seeAnswers, actions } = await createBench();
    const gate = createGate<typeof NO_EVIDENCE>();
    start("a", { gather: () => gate.passed });
    await clock.advance(BEGIN_MS);
    await seeAnswers();
    await clock.advance(INTERVAL_MS);
    store.isDown = true;
    gate.open(NO_EVIDENCE);
    await clock.advance(2 * LEASE_MS);
    store.isDown = false;
    expect(await actions()).toEqual(["start", "advance"]);
    await clock.advance(2 * POLL_MS);
    expect(await actions()).toEqual(["start", "advance", "advance"]);
  });
});

test("a decision that fails again and again is said once", async () => {
  const { clock, log, start, seeAnswers } = await createBench();
  start("a", { gather: () => Promise.reject(new Error("a bug")) });
  await clock.advance(BEGIN_MS);
  await seeAnswers();
  await clock.advance(2 * INTERVAL_MS);
  expect(log).toEqual(["Nobody can decide about releases; they stay as they are."]);
});

describe("hooks", () => {
  test("that take longer than a lease that is hardly longer than a poll keep it all the same", async () => {
    const { clock, start, seeAnswers, actions } = await createBench(["rollout"]);
    let asked = 0;
    start("a", {
      pollMs: LEASE_MS - 1,
      askHooks: async (_release, type) => {
        asked++;
        await new Promise<void>((resolve) => clock.setTimer(5 * LEASE_MS, resolve));
        return accept(type);
      },
    });
    await clock.advance(2 * LEASE_MS);
    await seeAnswers();
    await clock.advance(INTERVAL_MS + 5 * LEASE_MS);
    expect(asked).toBe(1);
    expect(await actions()).toEqual(["start", "advance", "advance"]);
  });

  test("are asked once for each question, however often it is looked meanwhile", async () => {
    const { clock, start, seeAnswers, actions } = await createBench([
      ...(["confirm-rollout", "pre-rollout", "rollout"] as const),
      ...(["confirm-traffic-increase", "confirm-promotion", "post-rollout"] as const),
    ]);
    const questions: string[] = [];
    start("a", {
      askHooks: async ({ state }, type) => {
        questions.push(`${state.revision} ${state.phase} ${state.checks} ${type}`);
        await new Promise<void>((resolve) => clock.setTimer(10 * POLL_MS, resolve));
        return accept(type);
      },
    });
    await clock.advance(INTERVAL_MS);
    for (let check = 0; check < 3; check++) {
      await seeAnswers();
      await clock.advance(INTERVAL_MS + 40 * POLL_MS);
    }
    await clock.advance(20 * POLL_MS);
    expect(questions).toEqual([
      ...["1 initializing 0 confirm-rollout", "1 progressing 0 pre-rollout"],
      ...["1 progressing 0 rollout", "1 progressing 0 confirm-traffic-increase"],
      ...["1 progressing 1 rollout", "1 progressing 1 confirm-promotion"],
      ...["1 promoting 2 rollout", "1 finalising 3 post-rollout"],
    ]);
    expect((await actions()).at(-1)).toBe("finish");
  });
});

describe("old releases", () => {
  const end = async (store: MemoryReleaseStore, id: string, model: string) => {
    const names = { id, model, stable: "1.0.0", candidate: "2.0.0" };
    const state = { ...createReleaseState(names, 0), phase: "failed" } as const;
    await store.create({ ...planOf(), model }, state, []);
  };
  const idsOf = async (store: MemoryReleaseStore, model: string) =>
    (await store.list({ model, limit: 1000 })).map(({ state }) => state.id);

  test("are removed but for the newest of each model, however many there are", async () => {
    const { clock, store, start } = await createBench();
    for (let at = 0; at < 70; at++) await end(store, `old ${at}`, "reviews");
    start("a");
    await clock.advance(10 * POLL_MS);
    expect(await idsOf(store, "reviews")).toEqual(["old 69", "old 68"]);
    expect(await idsOf(store, "spam")).toEqual(["rel_1"]);
  });

  test("that come later are removed within a minute or so", async () => {
    const { clock, store, start } = await createBench();
    start("a");
    await clock.advance(BEGIN_MS);
    for (let at = 0; at < 3; at++) await end(store, `old ${at}`, "reviews");
    await clock.advance(60_000 + BEGIN_MS);
    expect(await idsOf(store, "reviews")).toEqual(["old 2", "old 1"]);
  });
});

describe("what cannot wait", () => {
  const rollback = { id: "c1", command: { kind: "rollback", by: "somebody" } } as const;

  test("a command is followed while a hook is asked, and what the hook says is too late", async () => {
    const { clock, store, start, seeAnswers, actions } = await createBench(["rollout"]);
    const gate = createGate<HookAnswer>();
    start("a", { askHooks: () => gate.passed });
    await clock.advance(BEGIN_MS);
    await seeAnswers();
    await clock.advance(INTERVAL_MS);
    await store.addCommand("rel_1", rollback);
    await clock.advance(3 * POLL_MS);
    expect((await store.find("rel_1"))?.state).toMatchObject({ weight: 0 });
    gate.open(accept("rollout"));
    await clock.advance(INTERVAL_MS);
    expect(await actions()).toEqual(["start", "advance", "rollback", "finish"]);
  });

  test("a candidate that breaks goes back while evidence is still gathered", async () => {
    const { clock, store, start } = await createBench();
    let health = HEALTHY;
    start("a", {
      gather: () => new Promise(() => {}),
      readHealth: () => health,
    });
    await clock.advance(BEGIN_MS + INTERVAL_MS);
    health = { ready: { stable: true, candidate: false }, candidateFailure: "it broke" };
    await clock.advance(5 * POLL_MS);
    expect((await store.find("rel_1"))?.state).toMatchObject({
      phase: "failed",
      reason: "the candidate failed: it broke",
    });
  });
});
