import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReleaseStore } from "../../src/core/ports/release-store.ts";
import { createReleaseEvents } from "../../src/core/releases/create-release-events.ts";
import type { ReleaseEvent } from "../../src/core/releases/decision.ts";
import { EMPTY_OBSERVATION } from "../../src/core/releases/observation.ts";
import { isFinishedPhase } from "../../src/core/releases/release-phase.ts";
import type { ReleasePlan } from "../../src/core/releases/release-plan.ts";
import { createPlan, listStepWeights } from "../../src/core/releases/release-plan.ts";
import type { ReleaseState } from "../../src/core/releases/release-state.ts";
import { createReleaseState } from "../../src/core/releases/release-state.ts";
import { appendEvents } from "../../src/stores/records/event-outbox.ts";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { createReleaseStore } from "../../src/stores/records/release-store.ts";
import { openRecords } from "../support/open-records.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import { createRandom } from "../support/random.ts";

const KILLS = 10;
const LEASE_MS = 400;
const LIMIT_MS = 120_000;
const CHILD = fileURLToPath(new URL("../support/release-controller-process.ts", import.meta.url));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Twenty steps, each a tenth of a second: a kill finds a release under way, and not always the same step. */
function toPlan(model: string): ReleasePlan {
  const stepWeights = Array.from({ length: 20 }, (_, at) => 4 * (at + 1));
  const strategy = { kind: "canary", stepWeight: null, maxWeight: null, stepWeights } as const;
  return {
    ...createPlan({ model, candidate: "2.0.0", strategy, hasLabels: false, gateSet: null }),
    ...{ intervalMs: 100, minSamples: 20, maxInconclusive: 10_000, replay: { kind: "off" } },
    metrics: [
      { name: "errors", isDecisive: true, kind: "success_rate", minRatio: 0.9, maxDrop: null },
    ],
  };
}

/** What callers see of versions that never fail, told as a replica tells it. */
async function observe(store: ReleaseStore, { id, windowStartedAtMs }: ReleaseState) {
  const seen = { ...EMPTY_OBSERVATION, answered: 1000 };
  await store.observe(id, { replica: "traffic", windowStartedAtMs, stable: seen, candidate: seen });
}

interface Replica {
  readonly name: string;
  readonly child: ChildProcess;
}

async function startReplica(place: string, name: string): Promise<Replica> {
  const words = [CHILD, place, name, `${LEASE_MS}`];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout !== null) await once(child.stdout, "data");
  return { name, child };
}

async function killReplica({ child }: Replica): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function findLeader(database: RecordDatabase): Promise<string | undefined> {
  const row = await database.db.selectFrom("leases").select("holder").executeTakeFirst();
  return row?.holder;
}

const toTold = createReleaseEvents({ source: "/test", destinationsOf: () => ["receiver"] });

/** Each step once, in its order, with no gap; every decision is told once; no weight is lower than before but by a rollback. */
async function assertStory(database: RecordDatabase, store: ReleaseStore, id: string) {
  const release = await store.find(id);
  const events = (await store.history(id, 1000)).toReversed();
  // Every change of these releases is a decision.
  expect(release?.revision).toBe(1 + events.length);
  const weights = release === undefined ? [] : listStepWeights(release.plan.strategy);
  const story = events
    .filter(({ action }) => action !== "hold")
    .map(({ action, step }) => `${action} ${step}`);
  const whole = ["start 0", ...weights.map((_, at) => `advance ${at + 1}`), "promote 20"];
  const ending = story.findIndex((line) => line.startsWith("rollback "));
  if (ending === -1) expect(story).toEqual([...whole, "finalise 20", "finish 20"]);
  else {
    const before = story.slice(0, ending);
    expect(before).toEqual([...whole, "finalise 20"].slice(0, ending));
    expect(story.slice(ending).map((line) => line.split(" ")[0])).toEqual(["rollback", "finish"]);
  }
  let last: ReleaseEvent | undefined;
  for (const event of events) {
    const wasBack = last?.action === "rollback";
    if (event.action === "rollback" || wasBack) expect(event.weight).toBe(0);
    else expect(event.weight).toBeGreaterThanOrEqual(last?.weight ?? 0);
    last = event;
  }
  expect(release?.state.phase).toBe(ending === -1 ? "succeeded" : "failed");
  const told = events.flatMap((event) => toTold(event).map((outgoing) => outgoing.event.id));
  const { db } = database;
  const rows = await db.selectFrom("events").select("id").where("id", "like", `${id}-%`).execute();
  expect(rows.map((row) => row.id).toSorted()).toEqual(told.toSorted());
}

async function surviveKills(place: string): Promise<void> {
  const seed = Date.now() % 1_000_000;
  console.log(`seed of the kills: ${seed}`);
  const random = createRandom(seed);
  const database = await openRecords(place);
  await migrateDatabase(database, Date.now);
  const store = createReleaseStore(database, appendEvents);
  const ids: string[] = [];
  let replicas: Replica[] = [];
  const isUnderWay = async () =>
    (await store.listCurrent()).some(({ state }) => !isFinishedPhase(state.phase));
  const startRelease = async () => {
    const id = `rel_${ids.length}`;
    const model = `model ${ids.length}`;
    const names = { id, model, stable: "1.0.0", candidate: "2.0.0" };
    await store.create(toPlan(model), createReleaseState(names, Date.now()), []);
    ids.push(id);
    // Every other one goes back in the middle.
    if (ids.length % 2 === 0) {
      const atMs = 200 + random() * 1500;
      const command = { kind: "rollback", by: "a test" } as const;
      rollbacks.push(sleep(atMs).then(() => store.addCommand(id, { id: `back ${id}`, command })));
    }
  };
  const rollbacks: Promise<void>[] = [];
  let isOver = false;
  const traffic = async () => {
    while (!isOver) {
      for (const { state } of await store.listCurrent()) {
        if (!isFinishedPhase(state.phase)) await observe(store, state);
      }
      await sleep(20);
    }
  };
  const calling = traffic();
  try {
    replicas = await Promise.all([startReplica(place, "a"), startReplica(place, "b")]);
    for (let round = 0; round < KILLS; round++) {
      if (!(await isUnderWay())) await startRelease();
      await sleep(50 + random() * 600);
      const leader = await findLeader(database);
      const leads = replicas.find(({ name }) => name === leader) ?? replicas[0];
      const waits = replicas.find((one) => one !== leads) ?? replicas[1];
      if (leads === undefined || waits === undefined) throw new Error("a replica is missing");
      if (random() < 0.5) {
        // It sleeps for longer than its lease, perhaps in the middle of a decision, and wakes up as if it still had it.
        leads.child.kill("SIGSTOP");
        await sleep(2 * LEASE_MS);
        leads.child.kill("SIGCONT");
        await sleep(random() * 100);
      }
      const victim = random() < 0.8 ? leads : waits;
      await killReplica(victim);
      const next = await startReplica(place, `round ${round}`);
      replicas = [...replicas.filter((one) => one !== victim), next];
    }
    await expect.poll(isUnderWay, { timeout: 60_000 }).toBe(false);
    await Promise.all(rollbacks);
  } finally {
    isOver = true;
    await Promise.all(replicas.map(killReplica));
    await calling;
  }
  for (const id of ids) await assertStory(database, store, id);
  console.log(`${ids.length} releases, ${KILLS} kills`);
  await database.close();
}

describe(`a controller that is killed ${KILLS} times takes each step once`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-release-kills-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("with SQLite", { timeout: LIMIT_MS }, () => surviveKills(join(folder, "records.db")));
});

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(
  `the same on PostgreSQL${problem ? ` (${problem})` : ""}`,
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgresServer();
    });
    afterAll(() => server.close());

    test("with PostgreSQL", { timeout: LIMIT_MS }, () => surviveKills(server.url));
  },
);
