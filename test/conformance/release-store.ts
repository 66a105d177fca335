import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OutgoingEvent } from "../../src/core/ports/event-outbox.ts";
import type { ReleaseStore, StoredRelease } from "../../src/core/ports/release-store.ts";
import type { Analysis } from "../../src/core/releases/analyse.ts";
import type { ReleaseEvent } from "../../src/core/releases/decision.ts";
import { EMPTY_OBSERVATION } from "../../src/core/releases/observation.ts";
import { createPlan, DEFAULT_STRATEGY } from "../../src/core/releases/release-plan.ts";
import type { ReleaseState } from "../../src/core/releases/release-state.ts";
import { createReleaseState, enterPhase } from "../../src/core/releases/release-state.ts";

/** Two handles on the same data, as two processes have them. */
export interface ReleaseStoresUnderTest {
  readonly first: ReleaseStore;
  readonly second: ReleaseStore;
  /** Ids of the events that were put into the outbox. */
  readonly outbox: () => Promise<readonly string[]>;
  close(): Promise<void>;
}

const ANALYSIS: Analysis = { checks: [], outcome: "inconclusive", missingSamples: 7 };

/** What every driver of releases must do. */
export function describeReleaseStore(
  name: string,
  open: () => Promise<ReleaseStoresUnderTest>,
): void {
  describe(`release store: ${name}`, () => {
    let stores: ReleaseStoresUnderTest;
    let count = 0;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    const toNew = (model = `model ${++count}`) => {
      const basics = { model, candidate: "2.0.0", hasLabels: true, gateSet: null };
      const plan = createPlan({ ...basics, strategy: DEFAULT_STRATEGY });
      const names = { model, stable: "1.0.0", candidate: "2.0.0" };
      return { plan, state: createReleaseState({ id: `rel_${++count}`, ...names }, count) };
    };
    const start = async (model?: string): Promise<StoredRelease> => {
      const { plan, state } = toNew(model);
      const stored = await stores.first.create(plan, state, []);
      if (stored === undefined) throw new Error("The model has a release already.");
      return stored;
    };
    const end = async (release: StoredRelease) => {
      const back = enterPhase(release.state, "rolling_back", 10, "a test");
      const state = enterPhase(back, "failed", 11, "a test");
      await stores.first.save(release.state.id, release.revision, { state }, []);
    };
    const toEvent = (state: ReleaseState, message: string) =>
      ({ type: "Normal", action: "start", releaseId: state.id, message }) as ReleaseEvent;
    const toOutgoing = (id: string): OutgoingEvent => ({
      event: {
        ...{ specversion: "1.0", id, source: "/test", subject: "models/m" },
        ...{ type: "dev.sluice.release.changed", time: "2026-01-01T00:00:00Z" },
        ...{ datacontenttype: "application/json", dataschema: "urn:x", data: {} },
      },
      destinations: ["nats"],
    });

    test("a release comes back as it was stored, for every handle", async () => {
      const { plan, state } = toNew();
      const stored = await stores.first.create(plan, state, [toOutgoing(`created ${state.id}`)]);
      expect(stored).toEqual({ plan, state, analysis: null, revision: 1 });
      expect(await stores.second.find(state.id)).toEqual(stored);
      expect(await stores.second.find("rel_nobody")).toBeUndefined();
      expect(await stores.outbox()).toContain(`created ${state.id}`);
    });

    test("a model has one release that is not finished, however many are started at once", async () => {
      const model = "wanted";
      const both = [stores.first, stores.second];
      const started = await Promise.all(
        Array.from({ length: 10 }, (_, at) => {
          const { plan, state } = toNew(model);
          return both[at % 2]?.create(plan, state, []);
        }),
      );
      const [release, ...others] = started.filter((one) => one !== undefined);
      expect(others).toEqual([]);
      if (release === undefined) throw new Error("Nobody could start one.");
      await end(release);
      expect((await start(model)).state.model).toBe(model);
    });

    test("of those who save at once the first one counts, and only what it says is written", async () => {
      const { state, plan } = await start();
      const saved = await Promise.all(
        Array.from({ length: 20 }, (_, at) => {
          const store = at % 2 === 0 ? stores.first : stores.second;
          const next = { ...state, weight: at };
          const change = { state: next, analysis: ANALYSIS, event: toEvent(next, `save ${at}`) };
          return store.save(state.id, 1, change, [toOutgoing(`save ${state.id} ${at}`)]);
        }),
      );
      const [winner, ...others] = saved.filter((one) => one !== undefined);
      expect(others).toEqual([]);
      const at = winner?.state.weight;
      expect(winner).toEqual({
        ...{ plan, state: { ...state, weight: at } },
        ...{ analysis: ANALYSIS, revision: 2 },
      });
      expect(await stores.second.find(state.id)).toEqual(winner);
      const history = await stores.second.history(state.id, 10);
      expect(history.map(({ message }) => message)).toEqual([`save ${at}`]);
      const told = (await stores.outbox()).filter((id) => id.startsWith(`save ${state.id} `));
      expect(told).toEqual([`save ${state.id} ${at}`]);
    });

    test("what a change does not say stays: plan, analysis; an analysis can be taken away", async () => {
      const { state, plan } = await start();
      const changed = { ...plan, candidate: "3.0.0" };
      await stores.first.save(state.id, 1, { state, plan: changed, analysis: ANALYSIS }, []);
      const last = await stores.first.save(state.id, 2, { state }, []);
      expect(last).toEqual({ plan: changed, state, analysis: ANALYSIS, revision: 3 });
      const anew = await stores.second.save(state.id, 3, { state, analysis: null }, []);
      expect(anew).toMatchObject({ plan: changed, analysis: null, revision: 4 });
    });

    test("every change moves the revision of all, and nothing else does", async () => {
      const before = await stores.first.readRevision();
      const { state } = await start();
      const started = await stores.second.readRevision();
      expect(started).toBeGreaterThan(before);
      await stores.first.addCommand(state.id, {
        id: `c${++count}`,
        command: { kind: "pause", by: "a" },
      });
      await stores.first.save(state.id, 9, { state }, []);
      expect(await stores.second.readRevision()).toBe(started);
      await stores.first.save(state.id, 1, { state }, []);
      expect(await stores.second.readRevision()).toBeGreaterThan(started);
    });

    test("lists are newest first, in pages, and of one model where wanted", async () => {
      const model = "listed";
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        const release = await start(model);
        ids.unshift(release.state.id);
        if (i < 4) await end(release);
        await start();
      }
      const idsOf = (found: readonly StoredRelease[]) => found.map(({ state }) => state.id);
      expect(idsOf(await stores.second.list({ model, limit: 10 }))).toEqual(ids);
      const [first = "", second = ""] = idsOf(await stores.second.list({ model, limit: 2 }));
      expect([first, second]).toEqual(ids.slice(0, 2));
      const rest = await stores.second.list({ model, limit: 10, after: second });
      expect(idsOf(rest)).toEqual(ids.slice(2));
      const current = (await stores.second.listCurrent()).filter(
        ({ state }) => state.model === model,
      );
      expect(idsOf(current)).toEqual([first]);
    });

    test("of the decisions the newest thousand stay", async () => {
      const { state } = await start();
      for (let at = 1; at <= 1005; at++) {
        await stores.first.save(state.id, at, { state, event: toEvent(state, `${at}`) }, []);
      }
      const history = await stores.second.history(state.id, 1000);
      expect(history).toHaveLength(1000);
      expect(history.at(0)?.message).toBe("1005");
      expect(history.at(-1)?.message).toBe("6");
      expect(await stores.second.history(state.id, 3)).toEqual(history.slice(0, 3));
    });

    test("of those that have ended the newest of each model stay, with what was decided in them", async () => {
      const [model, other] = [`kept ${++count}`, `kept ${++count}`];
      const ended: string[] = [];
      for (let at = 0; at < 5; at++) {
        const release = await start(model);
        const { state } = release;
        const change = { state, event: toEvent(state, "a decision") };
        const changed = await stores.first.save(state.id, release.revision, change, []);
        await stores.first.addCommand(state.id, {
          id: `c${++count}`,
          command: { kind: "pause", by: "a" },
        });
        const seen = { stable: EMPTY_OBSERVATION, candidate: EMPTY_OBSERVATION };
        await stores.first.observe(state.id, { replica: "a", windowStartedAtMs: 1, ...seen });
        await end(changed ?? release);
        ended.push(state.id);
      }
      const open = await start(model);
      const lone = await start(other);
      await end(lone);
      const before = await stores.first.readRevision();
      const idsOf = async (name: string) =>
        (await stores.second.list({ model: name, limit: 10 })).map(({ state }) => state.id);
      // Further models of this suite have ended releases of their own, one or more.
      while ((await stores.first.removeFinished(2, 2)) > 0);
      expect(await idsOf(model)).toEqual([open.state.id, ended[4], ended[3]]);
      expect(await idsOf(other)).toEqual([lone.state.id]);
      const [gone = "", , , , kept = ""] = ended;
      expect(await stores.second.find(gone)).toBeUndefined();
      expect(await stores.second.history(gone, 10)).toEqual([]);
      expect(await stores.second.findCommand(gone)).toBeUndefined();
      expect(await stores.second.readObservations(gone, 1)).toEqual([]);
      expect(await stores.second.history(kept, 10)).toHaveLength(1);
      expect(await stores.second.findCommand(kept)).toBeDefined();
      expect(await stores.second.readObservations(kept, 1)).toHaveLength(1);
      // Nobody routes by them, so that nobody need look.
      expect(await stores.second.readRevision()).toBe(before);
    });

    test("no more are removed than one may ask for, the oldest first, by however many at once", async () => {
      const model = `kept ${++count}`;
      const ended: string[] = [];
      for (let at = 0; at < 6; at++) {
        const release = await start(model);
        await end(release);
        ended.unshift(release.state.id);
      }
      while ((await stores.first.removeFinished(6, 100)) > 0);
      expect(await stores.first.removeFinished(4, 1)).toBe(1);
      const ids = async () =>
        (await stores.second.list({ model, limit: 10 })).map(({ state }) => state.id);
      expect(await ids()).toEqual(ended.slice(0, 5));
      await Promise.all([
        stores.first.removeFinished(1, 100),
        stores.second.removeFinished(1, 100),
      ]);
      expect(await ids()).toEqual(ended.slice(0, 1));
    });

    test("commands come in their order, once, and stay until a change that counts ends them", async () => {
      const { state } = await start();
      const [one, two] = [`c${++count}`, `c${++count}`];
      await stores.first.addCommand(state.id, { id: one, command: { kind: "pause", by: "a" } });
      await stores.second.addCommand(state.id, { id: two, command: { kind: "resume", by: "b" } });
      await stores.second.addCommand(state.id, { id: one, command: { kind: "pause", by: "a" } });
      const pending = { id: one, command: { kind: "pause", by: "a" } };
      expect(await stores.second.findCommand(state.id)).toEqual(pending);
      expect(await stores.first.save(state.id, 5, { state, endsCommand: one }, [])).toBeUndefined();
      expect(await stores.second.findCommand(state.id)).toEqual(pending);
      await stores.first.save(state.id, 1, { state, endsCommand: one }, []);
      expect((await stores.second.findCommand(state.id))?.id).toBe(two);
      await stores.first.save(state.id, 2, { state, endsCommand: two }, []);
      expect(await stores.second.findCommand(state.id)).toBeUndefined();
    });

    test("a lease has one holder, who can keep it, until it runs out or is given up", async () => {
      const lease = `lease ${++count}`;
      const contenders = Array.from({ length: 10 }, (_, at) => `replica ${at}`);
      const took = await Promise.all(
        contenders.map((holder, at) =>
          (at % 2 === 0 ? stores.first : stores.second).acquireLease(lease, holder, 1000, 100),
        ),
      );
      const holders = contenders.filter((_, at) => took[at]);
      expect(holders).toHaveLength(1);
      const [holder = ""] = holders;
      const other = holder === "replica 0" ? "replica 1" : "replica 0";
      expect(await stores.second.acquireLease(lease, holder, 1050, 100)).toBe(true);
      expect(await stores.first.acquireLease(lease, other, 1149, 100)).toBe(false);
      expect(await stores.first.acquireLease(lease, other, 1150, 100)).toBe(true);
      await stores.first.releaseLease(lease, holder);
      expect(await stores.second.acquireLease(lease, holder, 1151, 100)).toBe(false);
      await stores.first.releaseLease(lease, other);
      expect(await stores.second.acquireLease(lease, holder, 1152, 100)).toBe(true);
    });

    test("what replicas see replaces what they saw, and windows that are over are forgotten", async () => {
      const { state } = await start();
      const { id } = state;
      const seen = (replica: string, windowStartedAtMs: number, answered: number) => ({
        ...{ replica, windowStartedAtMs, stable: EMPTY_OBSERVATION },
        candidate: { ...EMPTY_OBSERVATION, answered },
      });
      await stores.first.observe(id, seen("b", 1000, 1));
      await stores.second.observe(id, seen("a", 1000, 5));
      await stores.first.observe(id, seen("b", 1000, 2));
      const found = [seen("a", 1000, 5), seen("b", 1000, 2)];
      expect(await stores.second.readObservations(id, 1000)).toEqual(found);
      await stores.first.observe(id, seen("a", 2000, 9));
      expect(await stores.first.readObservations(id, 1000)).toEqual([]);
      // Late, of the window before.
      await stores.second.observe(id, seen("a", 1000, 7));
      expect(await stores.first.readObservations(id, 2000)).toEqual([seen("a", 2000, 9)]);
    });
  });
}
