import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { JOB_DEFAULTS } from "./load-client.ts";
import { runLoad } from "./load-generator.ts";
import type { LoadJob } from "./load-job.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function listen(server: Server): Promise<LoadJob> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { ...JOB_DEFAULTS, host: "127.0.0.1", port, connections: 4, durationMs: 200 };
}

describe("runLoad", () => {
  test("counts answers by status and measures accepted and refused ones apart", async () => {
    let count = 0;
    const job = await listen(
      createServer((_request, response) => {
        response.writeHead(count++ % 2 === 0 ? 200 : 429, { "content-length": 2 }).end("{}");
      }),
    );
    const report = await runLoad({ bodies: ["{}"] }, job);
    expect(report.statuses).toEqual({ 200: report.accepted.count, 429: report.rejected.count });
    expect(report.sent).toBe(count);
    expect(report.accepted.count + report.rejected.count).toBe(count);
    expect(report.errors).toEqual({ connect: 0, reset: 0, timeout: 0, malformed: 0 });
  });

  test("keeps the rate of an open loop and counts the wait for a connection", async () => {
    const job = await listen(
      createServer((_request, response) => {
        setTimeout(() => response.writeHead(200, { "content-length": 0 }).end(), 20);
      }),
    );
    const mode = {
      kind: "open",
      requestsPerSecond: 400,
      spacing: "constant",
      pacing: "precise",
      maxBacklog: 5,
    } as const;
    const report = await runLoad(
      { bodies: ["{}"] },
      { ...job, connections: 2, durationMs: 500, mode },
    );
    // Two connections at 20 ms answer at most 100/s, so most of what is due cannot be sent.
    expect(report.sent + report.missed).toBeGreaterThan(150);
    expect(report.missed).toBeGreaterThan(100);
    expect(report.accepted.p50Ms).toBeGreaterThan(report.acceptedFromWrite.p50Ms + 20);
  });

  test("counts as good what is accepted in time, and nothing else", async () => {
    let count = 0;
    const job = await listen(
      createServer((_request, response) => {
        const isSlow = count++ % 2 === 0;
        setTimeout(() => response.writeHead(200, { "content-length": 0 }).end(), isSlow ? 60 : 0);
      }),
    );
    const report = await runLoad(
      { bodies: ["{}"] },
      { ...job, connections: 1, durationMs: 600, sloMs: 40 },
    );
    expect(report.goodPerSecond).toBeGreaterThan(0);
    expect(report.goodPerSecond).toBeLessThan(0.75 * report.acceptedPerSecond);
  });

  test("tells answers that belong to another text, and does not look without marks", async () => {
    const job = await listen(
      createServer((request, response) => {
        request.resume().once("end", () => {
          // Everybody gets the answer that is right for one of the two texts.
          const body = '{"predictions":[{"label":"good","confidence":0.9}],"request_id":"x"}';
          response.writeHead(200, { "content-length": body.length }).end(body);
        });
      }),
    );
    const bodies = ['{"text":"a"}', '{"text":"b"}'];
    const marks = ['"good" 0.9', '"good" 0.8'];
    const told = await runLoad({ bodies, marks }, job);
    expect(told.wrongAnswers).toBeGreaterThan(0);
    expect(told.wrongAnswers).toBeLessThan(told.accepted.count);
    const { wrongAnswers } = await runLoad({ bodies }, job);
    expect(wrongAnswers).toBe(0);
  });

  test("counts requests that are never answered, and ends", async () => {
    const job = await listen(createServer(() => {}));
    const report = await runLoad({ bodies: ["{}"] }, { ...job, timeoutMs: 60 });
    expect(report.errors.timeout).toBeGreaterThanOrEqual(4);
    expect(report.accepted.count).toBe(0);
  });

  test("counts connections that break, and gives up when all do", async () => {
    const job = await listen(createServer((request) => request.socket.destroy()));
    const report = await runLoad({ bodies: ["{}"] }, { ...job, connections: 1, durationMs: 3000 });
    expect(report.errors.reset).toBe(10);
    expect(report.aborted).toBe(true);
  });

  test("refuses other machines and what is out of bounds", async () => {
    const job = await listen(createServer());
    await expect(runLoad({ bodies: ["{}"] }, { ...job, host: "192.0.2.1" })).rejects.toThrow(
      /host/,
    );
    await expect(runLoad({ bodies: ["{}"] }, { ...job, durationMs: 1e9 })).rejects.toThrow(
      /durationMs/,
    );
    await expect(runLoad({ bodies: [] }, job)).rejects.toThrow(/bodies/);
  });
});
