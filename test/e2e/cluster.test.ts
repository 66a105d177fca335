import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../support/free-port.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import { createRandom } from "../support/random.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { findRedisProblem, startRedisServer } from "../support/redis-server.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startServerProcess } from "../support/server-process.ts";

/**
 * What runs in a cluster, as processes of this machine: two gateways, two engines and two workers over PostgreSQL, Redis and
 * NATS. Vectors are left out: the PostgreSQL that tests have here is without pgvector.
 */

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));
const KILLS = Number(process.env["TEST_CLUSTER_KILLS"] ?? 16);
const ROWS = 2000;

/** The rows of one job, other texts than those of the jobs before it: what the cache knows is no work. */
const createTexts = (job: number) =>
  Array.from({ length: ROWS }, (_, i) => `This is text ${i} of job ${job}, ${i % 7} of seven.`);

const problem = findRedisProblem() ?? findNatsProblem() ?? findPostgresProblem();
const note = problem === undefined ? "" : ` [skipped: ${problem}]`;

interface Stores {
  readonly redis: RedisServer;
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
}

describe.skipIf(problem !== undefined)(`a cluster on one machine${note}`, () => {
  let folder: string;
  let stores: Stores;
  const processes = new Map<string, ServerProcess>();
  const ports = new Map<string, string>();

  /** Starts a member by its name, the same port each time. */
  const start = async (name: string): Promise<void> => {
    const [role = ""] = name.split("-");
    const words = ["--config", join(folder, "sluice.yaml"), "--role", role];
    const port = ports.get(name) ?? String(await findFreePort());
    ports.set(name, port);
    const setting = role === "gateway" ? "server" : role;
    processes.set(name, await startServerProcess([...words, `--${setting}.port=${port}`]));
  };
  const kill = async (name: string): Promise<void> => {
    await processes.get(name)?.stop("SIGKILL");
    processes.delete(name);
  };
  const urlOf = (name: string) => `http://127.0.0.1:${ports.get(name)}`;
  const post = (name: string, path: string, body: object, headers = {}) =>
    fetch(urlOf(name) + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-cluster-"));
    const [redis, nats, postgres] = await Promise.all([
      startRedisServer(),
      startNatsServer(),
      startPostgresServer(),
    ]);
    stores = { redis, nats, postgres };
    for (const name of ["engine-0", "engine-1"]) ports.set(name, String(await findFreePort()));
    const settings = {
      models: { directory: MODELS },
      replicas: 2,
      engine: { urls: [urlOf("engine-0"), urlOf("engine-1")] },
      cache: { store: { driver: "redis", url: redis.url } },
      // Slow machines are not what is looked at here.
      rateLimit: {
        requests: 40,
        windowMs: 5000,
        store: { driver: "redis", url: redis.url, timeoutMs: 1000 },
      },
      records: { store: { driver: "postgres", url: postgres.url } },
      queue: { store: { driver: "nats", url: nats.url } },
      vectors: { enabled: "off" },
      jobs: { chunkRows: 20, leaseMs: 2000, stallMs: 3000, sweepMs: 500 },
    };
    // YAML is a superset of JSON.
    await writeFile(join(folder, "sluice.yaml"), JSON.stringify(settings));
    await Promise.all([start("engine-0"), start("engine-1")]);
    await Promise.all(["gateway-0", "gateway-1", "worker-0", "worker-1"].map(start));
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...processes.values()].map((process) => process.stop("SIGTERM")));
    await Promise.all([stores.redis.close(), stores.nats.close(), stores.postgres.close()]);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  test("a limit holds across the gateways, to the request, and each knows what the other has answered", async () => {
    const ask = (i: number) => post(`gateway-${i % 2}`, "/classify", { text: "the same text" });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(i)));
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect(count(200)).toBe(40);
    expect(count(429)).toBe(20);
    const retry = Number(answers.find(({ status }) => status === 429)?.headers.get("retry-after"));
    await new Promise((resolve) => setTimeout(resolve, retry * 1000 + 100));
    const again = await ask(1);
    expect(again.headers.get("server-timing")).toContain("hit");
  }, 40_000);

  test(
    `jobs survive ${KILLS} kills of workers, engines, NATS, PostgreSQL and Redis, with every row once`,
    async () => {
      const seed = Date.now() % 1_000_000;
      console.log(`seed ${seed}`);
      const random = createRandom(seed);
      // The slow model, so that there is work to be interrupted.
      const submit = (name: string, job: number) =>
        fetch(`${urlOf(name)}/v1/jobs?model_version=2.0.0`, {
          method: "POST",
          headers: { "content-type": "application/x-ndjson", "idempotency-key": `job-${job}` },
          body: createTexts(job)
            .map((text) => JSON.stringify(text))
            .join("\n"),
        });
      const readId = async (response: Response) => ((await response.json()) as { id: string }).id;
      const ids: string[] = [];
      /** A server of a store may be on its way back: a submission is tried until it is taken. */
      const submitNext = () =>
        expect
          .poll(
            async () => {
              expectGateways();
              const response = await submit("gateway-0", ids.length);
              if (response.ok) ids.push(await readId(response));
              return response.ok;
            },
            { timeout: 30_000, interval: 200 },
          )
          .toBe(true);
      /** Nothing that ends a store ends a gateway. */
      const expectGateways = () => {
        for (const name of ["gateway-0", "gateway-1"])
          expect(processes.get(name)?.ended(), name).toBe(undefined);
      };
      const find = async (id: string | undefined) => {
        expectGateways();
        const answer = await fetch(`${urlOf("gateway-1")}/v1/jobs/${id}`);
        return answer.status === 200
          ? ((await answer.json()) as { state: string }).state
          : answer.status;
      };
      const faults: Readonly<Record<string, () => Promise<void>>> = {
        "worker-0": () => kill("worker-0").then(() => start("worker-0")),
        "worker-1": () => kill("worker-1").then(() => start("worker-1")),
        "engine-0": () => kill("engine-0").then(() => start("engine-0")),
        nats: () => stores.nats.kill().then(stores.nats.restart),
        postgres: () => stores.postgres.kill().then(stores.postgres.restart),
        redis: () => stores.redis.kill().then(stores.redis.restart),
      };
      const names = Object.keys(faults);
      const killed: string[] = [];
      for (let i = 0; i < KILLS; i++) {
        // However fast the machine is, each kill falls on work: a job that is done is followed by the next.
        if (ids.length === 0 || (await find(ids.at(-1))) === "completed") await submitNext();
        await new Promise((resolve) => setTimeout(resolve, random() * 300));
        // Each at least once, then by chance.
        const name = names[i < names.length ? i : Math.floor(random() * names.length)] ?? "";
        await faults[name]?.();
        killed.push(name);
      }
      console.log(`killed ${killed.join(" ")} under ${ids.length} jobs`);
      for (const [job, id] of ids.entries()) {
        await expect.poll(() => find(id), { timeout: 120_000, interval: 1000 }).toBe("completed");
        const results = await fetch(`${urlOf("gateway-1")}/v1/jobs/${id}/results?format=ndjson`);
        const rows = (await results.text())
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as { row: number; error?: unknown });
        expect(rows.map(({ row }) => row)).toEqual(createTexts(job).map((_, i) => i));
        expect(rows.filter(({ error }) => error !== undefined)).toEqual([]);
        // Asked for again, it is the same job, on either gateway.
        expect(await readId(await submit("gateway-1", job))).toBe(id);
      }
    },
    180_000 + KILLS * 5000,
  );
});
