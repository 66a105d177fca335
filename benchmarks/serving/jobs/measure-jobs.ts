import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import type { ServerProcess } from "../../../test/support/server-process.ts";
import { startServerProcess } from "../../../test/support/server-process.ts";
import { JOB_DEFAULTS, startLoadClient } from "../load/load-client.ts";
import { readProcessUsage } from "../servers/process-usage.ts";

// What a job costs those who wait for answers, and what a job of many rows costs the server.
// Run: node benchmarks/serving/jobs/measure-jobs.ts [--only long|1.0.0|2.0.0] [--rows 1000000] [--rounds 4] [--seconds 10]

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "4" },
    seconds: { type: "string", default: "10" },
  },
});
const ROWS = Number(values.rows);
const ROUNDS = Number(values.rounds);
const PHASE_MS = Number(values.seconds) * 1000;

interface WireJob {
  readonly id: string;
  readonly state: string;
  readonly rows: { readonly total: number; readonly done: number; readonly failed: number };
}

/** Rows of about twelve words, each of them another. */
function* writeRows(count: number): Generator<string> {
  const rows: string[] = [];
  for (let i = 0; i < count; i++) {
    rows.push(
      `{"id":${i},"text":"The ${i} times that we were there the food was fine and ${i % 97} people liked it."}\n`,
    );
    if (rows.length < 1000) continue;
    yield rows.join("");
    rows.length = 0;
  }
  yield rows.join("");
}

async function submit(server: ServerProcess, version: string, count: number): Promise<WireJob> {
  const response = await fetch(`${server.url}/v1/jobs?model_version=${version}`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: Readable.toWeb(Readable.from(writeRows(count))) as ReadableStream,
    duplex: "half",
  } as RequestInit);
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()) as WireJob;
}

async function look(server: ServerProcess, id: string): Promise<WireJob> {
  return (await (await fetch(`${server.url}/v1/jobs/${id}`)).json()) as WireJob;
}

async function withServer<T>(work: (server: ServerProcess) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-jobs-"));
  const server = await startServerProcess([
    "--models.directory=models",
    "--rateLimit.requests=0",
    "--records.store.driver=sqlite",
    `--records.store.path=${join(folder, "records.db")}`,
  ]);
  try {
    return await work(server);
  } finally {
    await server.stop("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  }
}

/** Online p99 without and with a job, in turns on one server. */
async function measureOnline(version: string, requestsPerSecond: number): Promise<void> {
  await withServer(async (server) => {
    const client = startLoadClient();
    const { hostname: host, port } = new URL(server.url);
    const bodies = Array.from({ length: 50_000 }, (_, i) =>
      JSON.stringify({
        text: `I had soup number ${i} and it was quite good.`,
        model_version: version,
      }),
    );
    await client.sendBodies("online", bodies);
    const phase = async () => {
      const report = await client.run("online", {
        ...JOB_DEFAULTS,
        ...{ host, port: Number(port), connections: 16, durationMs: PHASE_MS },
        mode: {
          ...{ kind: "open", requestsPerSecond, spacing: "exponential" },
          ...{ pacing: "sparing", maxBacklog: 1000 },
        },
      });
      const { p50Ms, p99Ms } = report.accepted;
      return { p50: p50Ms, p99: p99Ms, statuses: report.statuses };
    };
    await phase();
    const without: number[] = [];
    const during: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const quiet = await phase();
      const job = await submit(server, version, version === "1.0.0" ? 200_000 : 50_000);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const before = await look(server, job.id);
      const busy = await phase();
      const after = await look(server, job.id);
      await fetch(`${server.url}/v1/jobs/${job.id}/cancel`, { method: "POST" });
      const rate = ((after.rows.done - before.rows.done) / PHASE_MS) * 1000;
      without.push(quiet.p99);
      during.push(busy.p99);
      console.log(
        `${version} at ${requestsPerSecond}/s: p50/p99 ${quiet.p50.toFixed(1)}/${quiet.p99.toFixed(1)} ms without, ${busy.p50.toFixed(1)}/${busy.p99.toFixed(1)} ms with a job of ${Math.round(rate)} rows/s; ratio ${(busy.p99 / quiet.p99).toFixed(2)}; ${JSON.stringify(busy.statuses)}`,
      );
    }
    const middle = (list: number[]) =>
      list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)] ?? 0;
    const ratios = during.map((p99, round) => p99 / (without[round] ?? 0));
    console.log(
      `${version}: median p99 ${middle(without).toFixed(1)} → ${middle(during).toFixed(1)} ms, median of the rounds' ratios ${middle(ratios).toFixed(2)}`,
    );
    await client.close();
  });
}

/** A job of many rows: pace and memory. */
async function measureLong(): Promise<void> {
  await withServer(async (server) => {
    const rss = () => Math.round(readProcessUsage(server.pid)?.residentMib ?? 0);
    console.log(`${ROWS} rows: resident ${rss()} MiB before`);
    const startedMs = performance.now();
    const samples: number[] = [];
    const timer = setInterval(() => samples.push(rss()), 1000);
    const job = await submit(server, "1.0.0", ROWS);
    const uploadedMs = performance.now();
    console.log(
      `uploaded in ${((uploadedMs - startedMs) / 1000).toFixed(1)} s, resident ${rss()} MiB`,
    );
    let now = job;
    while (now.state !== "completed") {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      now = await look(server, job.id);
      if (now.state === "failed") throw new Error("the job failed");
    }
    const endedMs = performance.now();
    const response = await fetch(`${server.url}/v1/jobs/${job.id}/results`);
    let lines = 0;
    for await (const piece of response.body ?? [])
      for (const byte of piece) if (byte === 10) lines++;
    const readMs = performance.now();
    clearInterval(timer);
    const tenths = Array.from({ length: 10 }, (_, i) =>
      Math.max(
        ...samples.slice(
          Math.floor((samples.length * i) / 10),
          Math.floor((samples.length * (i + 1)) / 10),
        ),
      ),
    );
    console.log(
      `answered ${((endedMs - uploadedMs) / 1000).toFixed(1)} s after the upload, ${Math.round(ROWS / ((endedMs - startedMs) / 1000))} rows/s in all; results of ${lines} rows read in ${((readMs - endedMs) / 1000).toFixed(1)} s; ${now.rows.failed} failed; resident by tenths of the time ${tenths.join(", ")} MiB`,
    );
  });
}

const isWanted = (part: string) => values.only === undefined || values.only === part;
if (isWanted("long")) await measureLong();
if (isWanted("2.0.0")) await measureOnline("2.0.0", 60);
if (isWanted("1.0.0")) await measureOnline("1.0.0", 500);
