import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryReleaseStore } from "../../test/support/memory-release-store.ts";
import { ScriptedBackend } from "../../test/support/scripted-backend.ts";
import { createScriptedPipeline } from "../../test/support/scripted-pipeline.ts";
import { createPlan, DEFAULT_STRATEGY } from "../core/releases/release-plan.ts";
import type { ReleaseState } from "../core/releases/release-state.ts";
import { createReleaseState, enterPhase } from "../core/releases/release-state.ts";
import type { ReleaseFollower } from "./release-follower.ts";
import { startReleaseFollower } from "./release-follower.ts";

const POLL_MS = 100;

let store: MemoryReleaseStore;
let clock: FakeClock;
let log: string[];
let pipeline: ReturnType<typeof createScriptedPipeline>["pipeline"];
let follower: ReleaseFollower;

/** A model with both versions ready, and a process that follows. */
beforeEach(async () => {
  store = new MemoryReleaseStore();
  log = [];
  const scripted = createScriptedPipeline();
  ({ clock, pipeline } = scripted);
  scripted.addVersion("2.0.0", new ScriptedBackend({ clock, runMs: () => 1 }));
  const write = (message: string) => void log.push(message);
  follower = startReleaseFollower({
    ...{ store, clock, replica: "a", pollMs: POLL_MS },
    ...{ registry: pipeline.registry, traffic: pipeline.releases },
    logger: { debug: write, info: write, warn: write, error: write },
  });
});
afterEach(() => void follower.stop());

async function release(changes: Partial<ReleaseState> = {}): Promise<ReleaseState> {
  const basics = { model: "m", candidate: "2.0.0", hasLabels: true, gateSet: null };
  const plan = createPlan({ ...basics, strategy: DEFAULT_STRATEGY });
  const names = { id: "rel_1", model: "m", stable: "1.0.0", candidate: "2.0.0" };
  const state = { ...createReleaseState(names, 1000), ...changes };
  await store.create(plan, state, []);
  return state;
}

const underWay = { phase: "progressing", step: 1, weight: 10 } as const;
const split = () => pipeline.releases.find("m")?.split;

describe("a process routes", () => {
  test("as the store says, from one look to the next", async () => {
    expect(split()).toBeUndefined();
    const state = await release(underWay);
    await clock.advance(POLL_MS);
    expect(split()).toMatchObject({ candidate: "2.0.0", candidateWeight: 10 });
    await store.save("rel_1", 1, { state: { ...state, step: 2, weight: 20 } }, []);
    await clock.advance(POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 20 });
  });

  test("as before while the store fails, and as it says when it is back", async () => {
    const state = await release(underWay);
    await clock.advance(POLL_MS);
    store.isDown = true;
    await clock.advance(20 * POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 10 });
    expect(log).toEqual(["The store of releases cannot be read; requests go as they went."]);
    store.isDown = false;
    await store.save("rel_1", 1, { state: { ...state, step: 2, weight: 20 } }, []);
    await clock.advance(POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 20 });
    expect(log.slice(1)).toEqual(["The store of releases can be read again."]);
  });

  test("nobody to a version that goes away, though the store cannot be read", async () => {
    await release({ ...underWay, weight: 50 });
    await clock.advance(POLL_MS);
    store.isDown = true;
    pipeline.registry.transition("m", "2.0.0", "draining");
    await clock.advance(POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 0 });
  });

  test("no longer, once it has stopped", async () => {
    const state = await release(underWay);
    await clock.advance(POLL_MS);
    await follower.stop();
    await store.save("rel_1", 1, { state: { ...state, weight: 20 } }, []);
    await clock.advance(10 * POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 10 });
  });
});

describe("what a process has seen", () => {
  const seen = async (windowMs = 1000) => await store.readObservations("rel_1", windowMs);
  const answer = () =>
    pipeline.releases.find("m")?.recorders.candidate.recordFailure("model_failed");

  test("is told, and told again only when there is more", async () => {
    await release(underWay);
    await clock.advance(POLL_MS);
    answer();
    await clock.advance(POLL_MS);
    const [first] = await seen();
    expect(first).toMatchObject({
      replica: "a",
      candidate: { failures: [{ code: "model_failed", count: 1 }] },
    });
    await clock.advance(5 * POLL_MS);
    expect((await seen())[0]).toBe(first);
    answer();
    await clock.advance(POLL_MS);
    expect((await seen())[0]?.candidate.failures).toEqual([{ code: "model_failed", count: 2 }]);
  });

  test("while the store was away is told when it is back", async () => {
    await release(underWay);
    await clock.advance(POLL_MS);
    store.isDown = true;
    answer();
    await clock.advance(5 * POLL_MS);
    store.isDown = false;
    await clock.advance(POLL_MS);
    expect((await seen())[0]?.candidate.failures).toEqual([{ code: "model_failed", count: 1 }]);
  });

  test("before a window began does not count in it", async () => {
    const state = await release(underWay);
    await clock.advance(POLL_MS);
    answer();
    await clock.advance(POLL_MS);
    await store.save("rel_1", 1, { state: { ...state, windowStartedAtMs: 2000 } }, []);
    await clock.advance(POLL_MS);
    expect((await seen(2000))[0]?.candidate.failures).toEqual([]);
    expect(await seen(1000)).toEqual([]);
  });

  test("is not told of a release that has ended", async () => {
    const back = enterPhase(await release(underWay), "rolling_back", 2000, "a test");
    await store.save("rel_1", 1, { state: enterPhase(back, "failed", 2001, "a test") }, []);
    await clock.advance(POLL_MS);
    expect(split()).toMatchObject({ candidateWeight: 0, isOver: true });
    expect(await seen()).toEqual([]);
  });
});
