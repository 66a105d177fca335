import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventOutbox } from "../../src/core/ports/event-outbox.ts";
import { createDestinations } from "../../src/stores/events/create-destinations.ts";
import { createEventOutbox } from "../../src/stores/records/event-outbox.ts";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import { startEventRelay } from "../../src/workers/event-relay.ts";
import { toSampleEvent } from "../support/sample-event.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const KILLS = 30;
const CHILD = fileURLToPath(new URL("../support/relay-process.ts", import.meta.url));

let folder: string;
let path: string;
let database: RecordDatabase;
let outbox: EventOutbox;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-relay-"));
  path = join(folder, "records.db");
  database = await openSqliteDatabase({ path, busyTimeoutMs: 10_000 });
  await migrateDatabase(database, Date.now);
  outbox = createEventOutbox(database, { epochMs: Date.now });
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isTrue: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(`not within ${limitMs} ms`);
    await sleep(20);
  }
}

const append = (ids: readonly string[], destination: string) =>
  outbox.append(
    ids.map((id) => ({ event: toSampleEvent(id, Date.now()), destinations: [destination] })),
  );

function startRelay() {
  const silent = () => {};
  const { find, close } = createDestinations({
    ...{ webhooks: [], secrets: [], others: {}, timeoutMs: 1000, epochMs: Date.now },
    ...{ allowPrivateAddresses: true, allowHttp: true },
  });
  const relay = startEventRelay({
    ...{ outbox, findDestination: find, clock: createSystemClock(), random: Math.random },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    policy: { maxAttempts: 1000, baseDelayMs: 20, maxDelayMs: 100, maxRetryAfterMs: 1000 },
    ...{ maxInFlight: 8, maxInFlightPerDestination: 4, leaseMs: 5000, pollMs: 20 },
  });
  return {
    close: async () => {
      await relay.close();
      await close();
    },
  };
}

test("a receiver that is down, then answers 500, then is back gets every event, and no event twice that it accepted", async () => {
  const first = await startScriptedHttpServer((_request, response) => response.end());
  const { port, url } = first;
  await first.kill();
  const relay = startRelay();
  const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
  await append(ids, `url:${url}/`);
  await sleep(300);
  expect((await outbox.count()).waiting).toBe(60);
  let refused = 0;
  const accepted: string[] = [];
  const second = await startScriptedHttpServer((request, response) => {
    if (refused < 100) {
      refused++;
      response.writeHead(500).end();
      return;
    }
    accepted.push(String(request.headers["webhook-id"]));
    response.end();
  }, port);
  await until(async () => (await outbox.count()).waiting === 0);
  expect(accepted.toSorted()).toEqual(ids.toSorted());
  expect(await outbox.count()).toEqual({ waiting: 0, failed: 0 });
  await relay.close();
  await second.kill();
});

test("a receiver that never answers holds up no other, and one that is gone is listed", async () => {
  const accepted = new Set<string>();
  const slow = await startScriptedHttpServer(() => {});
  const gone = await startScriptedHttpServer((_request, response) => {
    response.writeHead(410).end();
  });
  const fast = await startScriptedHttpServer((request, response) => {
    accepted.add(String(request.headers["webhook-id"]));
    response.end();
  });
  const idsOf = (name: string) => Array.from({ length: 40 }, (_, i) => `${name}-${i}`);
  await append(idsOf("slow"), `url:${slow.url}/`);
  await append(["gone"], `url:${gone.url}/`);
  await append(idsOf("fast"), `url:${fast.url}/`);
  const relay = startRelay();
  await until(() => accepted.size === 40, 5000);
  await until(async () => (await outbox.count()).failed === 1, 5000);
  const [failed] = await outbox.listFailed(10);
  expect(failed).toMatchObject({ reason: "the receiver answered 410", attempt: 1 });
  await relay.close();
  await Promise.all([slow.kill(), gone.kill(), fast.kill()]);
});

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test(`a relay that is killed ${KILLS} times loses no event`, { timeout: 120_000 }, async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed of the kills: ${seed}`);
  const random = createRandom(seed);
  const times = new Map<string, number>();
  const receiver = await startScriptedHttpServer((request, response) => {
    const id = String(request.headers["webhook-id"]);
    // Some answers come late, so that a kill finds attempts that the receiver has and the outbox does not know of.
    setTimeout(() => {
      times.set(id, (times.get(id) ?? 0) + 1);
      response.writeHead(random() < 0.1 ? 500 : 200).end();
    }, random() * 30);
  });
  let child: ChildProcess | undefined;
  const ids: string[] = [];
  const start = async () => {
    const words = [CHILD, path, `${receiver.url}/`];
    const started = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    if (started.stdout !== null) await once(started.stdout, "data");
  };
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    child = undefined;
    await ended;
  };
  try {
    for (let round = 0; round < KILLS; round++) {
      await start();
      const some = Array.from({ length: 40 }, (_, i) => `kill-${round}-${i}`);
      ids.push(...some);
      await append(some, "webhooks.receiver");
      await sleep(random() * 150);
      await kill();
    }
    await start();
    await until(async () => (await outbox.count()).waiting === 0);
    await kill();
  } finally {
    await kill();
    await receiver.kill();
  }
  expect(await outbox.count()).toEqual({ waiting: 0, failed: 0 });
  expect([...times.keys()].toSorted()).toEqual(ids.toSorted());
  const again = [...times.values()].filter((count) => count > 1).length;
  console.log(`${ids.length} events, ${again} of them sent more than once`);
  // Otherwise no kill came in the middle of anything.
  expect(again).toBeGreaterThan(0);
});
