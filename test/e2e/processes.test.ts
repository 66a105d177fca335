import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeepAliveClient } from "../support/keep-alive-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startServerProcess } from "../support/server-process.ts";

const PREDICTIONS = /^ai_model_predictions_total\{.*\} (\d+)$/gm;

let models: ModelFolder;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write();
});
afterAll(() => models.remove());

function start(...words: string[]): Promise<ServerProcess> {
  return startServerProcess([
    ...(words.includes("--models.directory") ? [] : ["--models.directory", models.path]),
    "--server.processes",
    "2",
    "--cache.store.driver",
    "none",
    ...words,
  ]);
}

async function classify(url: string, text: string): Promise<Response> {
  return await fetch(`${url}/classify`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ text }),
  });
}

async function countPredictions(url: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return [...page.matchAll(PREDICTIONS)].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Ids of the processes that `pid` started. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").map(Number);
}

describe.runIf(process.platform === "linux")("several processes on one port", () => {
  test("answer as one: metrics add up, limits hold across them, and one that dies is replaced", async () => {
    const server = await start("--rate-limit.requests", "200");
    for (let i = 0; i < 40; i++) expect((await classify(server.url, `text ${i}`)).status).toBe(200);
    expect(await countPredictions(server.url)).toBe(40);

    const [first = 0, second = 0] = childrenOf(server.pid);
    process.kill(first, "SIGKILL");
    const isReplaced = () => {
      const children = childrenOf(server.pid);
      return children.length === 2 && children.includes(second) && !children.includes(first);
    };
    await expect.poll(isReplaced, { timeout: 15_000 }).toBe(true);

    const statuses: number[] = [];
    for (let i = 0; i < 400; i++) {
      const answer = await classify(server.url, `more ${i}`).catch(() => undefined);
      if (answer !== undefined) statuses.push(answer.status);
      if (answer?.status === 429) break;
      if (i % 20 === 0) await sleep(30);
    }
    expect(statuses.at(-1)).toBe(429);
    // The process that died takes along what it alone had counted; nobody gets two full allowances.
    expect(statuses.length).toBeLessThan(330);
    expect(await server.stop("SIGTERM")).toBe(0);
  }, 60_000);

  test("drain together without losing a request", async () => {
    const server = await start("--rate-limit.requests", "0");
    const clients = Array.from({ length: 8 }, () => new KeepAliveClient(server.url));
    let answered = 0;
    const failures: string[] = [];
    const running = clients.map(async (client, c) => {
      for (let i = 0; ; i++) {
        const answer = await client.classify({ text: `text ${c} ${i}` });
        if (answer.status === 200) answered++;
        else failures.push(`${answer.status}`);
        if (answer.headers["connection"] === "close") return;
      }
    });
    await sleep(300);
    const exitCode = await server.stop("SIGTERM");
    await Promise.all(running);
    for (const client of clients) client.close();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(8);
    expect(exitCode).toBe(0);
  }, 60_000);

  test("know the faults that one of them was told of, also those that start later", async () => {
    const server = await start("--faults.enabled", "on", "--rate-limit.requests", "0");
    const statuses = async () => {
      const answers = Array.from({ length: 16 }, (_, i) => classify(server.url, `text ${i}`));
      return new Set((await Promise.all(answers)).map(({ status }) => status));
    };
    const abort = { percentage: { value: 100 }, httpStatus: 418 };
    const answer = await fetch(`${server.url}/v1/faults/all`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ match: { everything: true }, abort, ttl: "1m" }),
    });
    expect(answer.status).toBe(200);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(new Set([418]));

    const [first = 0] = childrenOf(server.pid);
    process.kill(first, "SIGKILL");
    const isReplaced = () =>
      childrenOf(server.pid).length === 2 && !childrenOf(server.pid).includes(first);
    await expect.poll(isReplaced, { timeout: 15_000 }).toBe(true);
    await sleep(2000);
    for (let round = 0; round < 4; round++) expect(await statuses()).toEqual(new Set([418]));
    const { faults } = (await (await fetch(`${server.url}/v1/faults`)).json()) as {
      faults: unknown[];
    };
    expect(faults).toHaveLength(1);
    expect(await server.stop("SIGTERM")).toBe(0);
  }, 60_000);

  test("settings that no process can start with end them all, with the reason", async () => {
    await expect(start("--models.directory", "/nowhere/at/all")).rejects.toThrow(/nowhere/);
  }, 60_000);
});
