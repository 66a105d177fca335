import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startServerProcess } from "../../../test/support/server-process.ts";
import { JOB_DEFAULTS, startLoadClient } from "../load/load-client.ts";

// What callers notice while a new version is loaded beside the old one and takes its requests.
// Run: node benchmarks/serving/swap/measure-swap.ts [--only 1.0.0|2.0.0] [--rounds 5] [--seconds 8]

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
  },
});
const ROUNDS = Number(values.rounds);
const PHASE_MS = Number(values.seconds) * 1000;
/** Of a phase, before anything happens in it. */
const LEAD_MS = PHASE_MS / 4;
const LOOK_MS = 50;
/** As many as a swap takes. */
const LOOKS = 8;
const SHIPPED = new URL("../../../models/text-classification/", import.meta.url).pathname;

/** A shipped package as another version, beside its place. @returns puts it there in one step */
async function stageVersion(
  root: string,
  from: string,
  version: string,
): Promise<() => Promise<void>> {
  const staged = join(root, "staged");
  await cp(join(SHIPPED, from), staged, { recursive: true });
  const path = join(staged, "manifest.json");
  const manifest = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...manifest, version }));
  return () => rename(staged, join(root, "models/text-classification", version));
}

async function readState(url: string, version: string): Promise<string | undefined> {
  const { models } = (await (await fetch(`${url}/models/text-classification`)).json()) as {
    readonly models: readonly { readonly version: string; readonly state: string }[];
  };
  return models.find((one) => one.version === version)?.state;
}

async function measure(from: string, requestsPerSecond: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "sluice-bench-swap-"));
  await mkdir(join(root, "models/text-classification"), { recursive: true });
  const major = Number(from.split(".")[0]);
  const nameOf = (round: number) => `${major}.${round}.0`;
  const putFirst = await stageVersion(root, from, nameOf(0));
  await putFirst();
  const server = await startServerProcess([
    `--models.directory=${join(root, "models")}`,
    "--models.watchMs=200",
    "--rateLimit.requests=0",
    "--cache.store.driver=none",
    `--records.store.path=${join(root, "records.db")}`,
  ]);
  const client = startLoadClient();
  try {
    const { hostname: host, port } = new URL(server.url);
    const bodies = Array.from({ length: 50_000 }, (_, i) =>
      JSON.stringify({ text: `I had soup number ${i} and it was quite good.` }),
    );
    await client.sendBodies("steady", bodies);
    const phase = async () => {
      const report = await client.run("steady", {
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
    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      // Copying files is no part of a swap, and asking how far it is happens in both phases.
      const put = await stageVersion(root, from, nameOf(round));
      const pending = phase();
      await wait(LEAD_MS);
      for (let look = 0; look < LOOKS; look++) {
        await readState(server.url, nameOf(round));
        await wait(LOOK_MS);
      }
      const before = await pending;
      const during = phase();
      await wait(LEAD_MS);
      const startedMs = performance.now();
      await put();
      while ((await readState(server.url, nameOf(round))) !== "ready") await wait(LOOK_MS);
      const swapMs = performance.now() - startedMs;
      const after = await during;
      ratios.push(after.p99 / before.p99);
      console.log(
        `${from} at ${requestsPerSecond}/s, round ${round}: p50/p99 ${before.p50.toFixed(2)}/${before.p99.toFixed(2)} ms before, ${after.p50.toFixed(2)}/${after.p99.toFixed(2)} ms with a swap of ${(swapMs / 1000).toFixed(2)} s in ${PHASE_MS / 1000} s; ratio ${(after.p99 / before.p99).toFixed(2)}; ${JSON.stringify(after.statuses)}`,
      );
      await rm(join(root, "models/text-classification", nameOf(round - 1)), { recursive: true });
      while ((await readState(server.url, nameOf(round - 1))) === "ready") {
        await wait(LOOK_MS);
      }
    }
    const sorted = ratios.toSorted((a, b) => a - b);
    console.log(`${from}: median ratio ${sorted[Math.floor((sorted.length - 1) / 2)]?.toFixed(2)}`);
  } finally {
    await client.close();
    await server.stop("SIGTERM");
    await rm(root, { recursive: true, force: true });
  }
}

const RATES = { "1.0.0": 1000, "2.0.0": 60 } as const;
for (const [from, rate] of Object.entries(RATES)) {
  if (values.only === undefined || values.only === from) await measure(from, rate);
}
