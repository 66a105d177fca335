import { beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryReleaseStore } from "../../../test/support/memory-release-store.ts";
import type { StoredRelease } from "../ports/release-store.ts";
import type { ReleasePorts, VersionHealth } from "./advance-release.ts";
import { advanceRelease } from "./advance-release.ts";
import type { ReleaseEvent } from "./decision.ts";
import { EMPTY_OBSERVATION } from "./observation.ts";
import { NO_EVIDENCE } from "./release-evidence.ts";
import type { HookType } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import { createReleaseState } from "./release-state.ts";

const INTERVAL_MS = 60_000;
const HEALTHY: VersionHealth = {
  ready: { stable: true, candidate: true },
  candidateFailure: null,
};

let clock: FakeClock;
let store: MemoryReleaseStore;
let told: ReleaseEvent[];
beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryReleaseStore();
  told = [];
});

/** At its first step, with a check that is due now. */
async function createDue(hooks: readonly HookType[] = []): Promise<StoredRelease> {
  const basics = { model: "spam", candidate: "2.0.0", hasLabels: false, gateSet: null };
  const plan = {
    ...createPlan({ ...basics, strategy: DEFAULT_STRATEGY }),
    ...{ intervalMs: INTERVAL_MS, minSamples: 20 },
    metrics: [
      {
        ...{ name: "errors", isDecisive: true, kind: "success_rate" as const },
        ...{ minRatio: 0.9, maxDrop: null },
      },
    ],
    hooks: hooks.map((type) => ({
      ...{ name: type, type, url: "https://hooks.example.com", timeoutMs: 1000, retries: 0 },
    })),
  };
  const names = { id: "rel_1", model: "spam", stable: "1.0.0", candidate: "2.0.0" };
  const begun = createReleaseState(names, clock.epochMs());
  const state = { ...begun, phase: "progressing", step: 1, weight: 5 } as const;
  const stored = await store.create(plan, state, []);
  if (stored === undefined) throw new Error("The model has a release already.");
  await clock.advance(INTERVAL_MS);
  return stored;
}

/** What callers saw: a thousand answers of stable, and `failed` of a thousand that the candidate did not give. */
async function see({ state }: StoredRelease, failed: number): Promise<void> {
  const { windowStartedAtMs } = state;
  const stable = { ...EMPTY_OBSERVATION, answered: 1000 };
  const failures = failed === 0 ? [] : [{ code: "model_failed" as const, count: failed }];
  const candidate = { ...EMPTY_OBSERVATION, answered: 1000 - failed, failures };
  await store.observe(state.id, { replica: "traffic", windowStartedAtMs, stable, candidate });
}

const portsWith = (changes: Partial<ReleasePorts> = {}): ReleasePorts => ({
  store,
  epochMs: () => clock.epochMs(),
  mayDecide: () => true,
  readHealth: () => HEALTHY,
  askHooks: async (_release, type) => ({ type, isAccepted: true, detail: null }),
  evidence: {
    gather: async () => NO_EVIDENCE,
    canReplay: async () => false,
    replay: async () => {},
  },
  toOutgoing: () => [],
  decided: (_release, event) => void told.push(event),
  ...changes,
});

test("what is told was stored before, with what it was decided on", async () => {
  const release = await createDue();
  await see(release, 0);
  const found: (StoredRelease | undefined)[] = [];
  const decided = () => void store.find("rel_1").then((one) => found.push(one));
  const last = await advanceRelease(release, portsWith({ decided }));
  await clock.settle();
  expect(last?.state).toMatchObject({ step: 2, weight: 10 });
  expect(last?.analysis?.outcome).toBe("pass");
  expect(found).toEqual([last]);
});

test("nothing is stored and nothing told once somebody else decides", async () => {
  const release = await createDue();
  await see(release, 0);
  const last = await advanceRelease(release, portsWith({ mayDecide: () => false }));
  expect(last).toBeUndefined();
  expect(await store.find("rel_1")).toEqual(release);
  expect(told).toEqual([]);
});

test("nothing is stored and nothing told when somebody else was faster", async () => {
  const release = await createDue();
  await see(release, 0);
  const gather = async () => {
    await store.save("rel_1", 1, { state: { ...release.state, failures: 1 } }, []);
    return NO_EVIDENCE;
  };
  const ports = portsWith();
  const last = await advanceRelease(release, {
    ...ports,
    evidence: { ...ports.evidence, gather },
  });
  expect(last).toBeUndefined();
  expect((await store.find("rel_1"))?.state).toMatchObject({ step: 1, failures: 1 });
  expect(told).toEqual([]);
});

test("a command goes before a check that is due, whose evidence is not even gathered", async () => {
  const release = await createDue(["rollout", "rollback"]);
  await see(release, 0);
  const command = { kind: "pause", by: "somebody" } as const;
  await store.addCommand("rel_1", { id: "c1", command });
  const asked: HookType[] = [];
  const ports = portsWith({
    askHooks: async (_release, type) => {
      asked.push(type);
      return { type, isAccepted: true, detail: null };
    },
  });
  const gather = () => Promise.reject(new Error("nobody may ask"));
  const last = await advanceRelease(release, {
    ...ports,
    evidence: { ...ports.evidence, gather },
  });
  expect(last?.state).toMatchObject({ phase: "paused", step: 1 });
  expect(asked).toEqual([]);
  expect(await store.findCommand("rel_1")).toBeUndefined();
});

test("a command that comes while a hook is asked goes before what the hook has said", async () => {
  const release = await createDue(["rollout"]);
  await see(release, 0);
  const command = { kind: "rollback", by: "somebody" } as const;
  const last = await advanceRelease(
    release,
    portsWith({
      askHooks: async (_release, type) => {
        await store.addCommand("rel_1", { id: "c1", command });
        return { type, isAccepted: true, detail: null };
      },
    }),
  );
  expect(last?.state).toMatchObject({ phase: "rolling_back", weight: 0 });
  expect(told.map(({ action }) => action)).toEqual(["rollback"]);
});

test("a command that cannot be followed any more is ended, so that it does not block those behind it", async () => {
  const release = await createDue();
  const command = { kind: "resume", by: "somebody" } as const;
  await store.addCommand("rel_1", { id: "c1", command });
  await advanceRelease(release, portsWith());
  expect(await store.findCommand("rel_1")).toBeUndefined();
  expect((await store.find("rel_1"))?.state).toMatchObject({ phase: "progressing", step: 1 });
});

test("a hook that refuses is asked once, and its refusal is a failed check", async () => {
  const release = await createDue(["rollout"]);
  await see(release, 0);
  let count = 0;
  const ports = portsWith({
    askHooks: async (_release, type) => {
      count++;
      return { type, isAccepted: false, detail: "not today" };
    },
  });
  const last = await advanceRelease(release, ports);
  expect(count).toBe(1);
  expect(last?.state).toMatchObject({ step: 1, failures: 1, consecutiveFailures: 1 });
  expect(last?.state.reason).toContain("not today");
  // Until the next check is due nobody is asked again.
  if (last !== undefined) await advanceRelease(last, ports);
  expect(count).toBe(1);
});

test("what all replicas have seen is added up before it is judged", async () => {
  const release = await createDue();
  const { windowStartedAtMs } = release.state;
  const few = { ...EMPTY_OBSERVATION, answered: 15 };
  for (const replica of ["a", "b"]) {
    await store.observe("rel_1", { replica, windowStartedAtMs, stable: few, candidate: few });
  }
  const last = await advanceRelease(release, portsWith());
  expect(last?.analysis?.checks[0]?.samples).toBe(30);
});

test("a store that fails is said to whoever asked, and nothing is told", async () => {
  const release = await createDue();
  await see(release, 500);
  store.isDown = true;
  await expect(advanceRelease(release, portsWith())).rejects.toMatchObject({ code: "unavailable" });
  expect(told).toEqual([]);
  store.isDown = false;
  const last = await advanceRelease(release, portsWith());
  expect(last?.state).toMatchObject({ step: 1, failures: 1 });
});
