import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, toDefaultDataDirectory } from "../bench-options.ts";
import type { Corpus } from "../corpus/corpus.ts";
import { createCorpora, toBody } from "../corpus/corpus.ts";
import type { LoadClient } from "../load/load-client.ts";
import { JOB_DEFAULTS, startLoadClient } from "../load/load-client.ts";
import { runOpenRates } from "../overload/open-rates.ts";
import { assertServing } from "../servers/assert-serving.ts";
import type { Machine } from "../servers/machine.ts";
import { describeMachine } from "../servers/machine.ts";
import { readProcessUsage } from "../servers/process-usage.ts";
import { startEcho, startSluice } from "../servers/server-process.ts";
import type { Target } from "./closed-rounds.ts";
import { runClosedRounds } from "./closed-rounds.ts";
import { measureRawSpeeds } from "./raw-speed.ts";
import { renderServingReport } from "./render-serving-report.ts";
import { judgeGoals } from "./serving-goals.ts";
import type { CorpusFigures, ServingResult } from "./serving-result.ts";
import { TARGETS } from "./serving-result.ts";

/** The serving seed: the n-gram model beside a bare HTTP server. benchmarks/README.md says what is measured and how to read it. */
const HELP = `node benchmarks/serving/ngram/serving-seed.ts [options]
  --quick          about 20 seconds; prints, and writes files only with --out
  --models DIR     model packages (default: models)
  --data DIR       data sets (default: SLUICE_TEST_DATA or ../shared/data; made-up texts when missing)
  --out DIR        where the result goes (default: benchmarks/results)`;

const CONNECTIONS = 64;
const OPEN_CONNECTIONS = 256;
const OPEN_MAX_BACKLOG = 10_000;
const OPEN_SHARES = [0.1, 0.5, 0.8] as const;
/** With fewer, a generator that polls takes processor time from the server and spoils what it measures. */
const CORES_FOR_POLLING = 4;
const RAW_BATCHES = [1, 32] as const;

/** How long everything takes. The first corpus is measured most closely. */
interface Plan {
  readonly corpora: readonly { corpus: Corpus; rounds: number; roundMs: number }[];
  readonly warmUpMs: number;
  readonly rawMs: number;
  readonly openMs: number;
  readonly singleMs: number;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    models: { type: "string", default: join(ROOT, "models") },
    data: { type: "string", default: toDefaultDataDirectory() },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const { quick } = options;
  const machine = describeMachine();
  const corpora = createCorpora(options.data);
  const plan = createPlan(corpora.byName, quick);
  const modelsDirectory = resolve(options.models);
  const measureRaw = () =>
    measureRawSpeeds({
      modelsDirectory,
      corpora: plan.corpora.map(({ corpus }) => corpus),
      batchSizes: RAW_BATCHES,
      durationMs: plan.rawMs,
    });

  say("the model alone");
  const before = await measureRaw();
  const served = await measureServing(modelsDirectory, plan, machine);
  say("the model alone, again");
  const after = await measureRaw();

  const measured = {
    benchmark: "serving-seed" as const,
    date: new Date().toISOString().slice(0, 10),
    quick,
    connections: CONNECTIONS,
    machine,
    model: before.model,
    textSource: corpora.source,
    corpora: plan.corpora.map(({ corpus }) => ({ ...corpus, texts: corpus.texts.length })),
    ...served,
    raw: { before: before.speeds, after: after.speeds },
  };
  publish({ ...measured, goals: judgeGoals(measured) });
}

function createPlan(corpora: Readonly<Record<string, Corpus>>, quick: boolean): Plan {
  const { mixed, short, chinese } = corpora as Readonly<Record<Corpus["name"], Corpus>>;
  if (quick) {
    const only = { corpus: mixed, rounds: 2, roundMs: 1300 };
    return { corpora: [only], warmUpMs: 700, rawMs: 400, openMs: 1300, singleMs: 700 };
  }
  return {
    corpora: [
      { corpus: mixed, rounds: 5, roundMs: 3000 },
      { corpus: short, rounds: 3, roundMs: 2000 },
      { corpus: chinese, rounds: 3, roundMs: 2000 },
    ],
    warmUpMs: 3000,
    rawMs: 1000,
    openMs: 5000,
    singleMs: 2000,
  };
}

type Served = Pick<ServingResult, "closed" | "open" | "single" | "servers">;

async function measureServing(
  modelsDirectory: string,
  plan: Plan,
  machine: Machine,
): Promise<Served> {
  say("starting servers");
  const targets: Target[] = [];
  const client = startLoadClient();
  try {
    targets.push({ name: TARGETS.echo, server: await startEcho() });
    targets.push({ name: TARGETS.cached, server: await startSluice({ modelsDirectory }) });
    const flags = ["--cache.store.driver", "none"];
    targets.push({ name: TARGETS.uncached, server: await startSluice({ modelsDirectory, flags }) });
    return await measureTargets(client, targets, plan, machine);
  } finally {
    await Promise.all([client.close(), ...targets.map(({ server }) => server.stop())]);
  }
}

async function measureTargets(
  client: LoadClient,
  targets: readonly Target[],
  plan: Plan,
  machine: Machine,
): Promise<Served> {
  for (const { server } of targets) await assertServing(server);
  const started = targets.map(({ server }) => readProcessUsage(server.pid));
  const { warmUpMs } = plan;
  const closed: CorpusFigures[] = [];
  for (const { corpus, rounds, roundMs } of plan.corpora) {
    say(`closed loop, ${corpus.name} texts`);
    await client.sendBodies(corpus.name, corpus.texts.map(toBody));
    const load = { client, targets, bodies: corpus.name, connections: CONNECTIONS };
    const figures = await runClosedRounds({ ...load, rounds, roundMs, warmUpMs });
    closed.push({ corpus: corpus.name, figures });
  }
  const [main] = closed;
  const uncached = targets.find(({ name }) => name === TARGETS.uncached);
  const capacity = main?.figures.find(({ target }) => target === TARGETS.uncached);
  if (main === undefined || uncached === undefined || capacity === undefined) {
    throw new Error("The plan measures nothing.");
  }
  say("open loop");
  const open = await runOpenRates({
    client,
    server: uncached.server,
    bodies: main.corpus,
    capacityPerSecond: capacity.requestsPerSecond,
    shares: OPEN_SHARES,
    connections: OPEN_CONNECTIONS,
    durationMs: plan.openMs,
    maxBacklog: OPEN_MAX_BACKLOG,
    pacing: machine.cores >= CORES_FOR_POLLING ? "precise" : "sparing",
  });
  say("one connection");
  const single = await measureSingle(client, targets, main.corpus, plan.singleMs);
  const servers = targets.map(({ name, server }, i) => ({
    target: name,
    atStart: started[i],
    atEnd: readProcessUsage(server.pid),
  }));
  return { closed, open, single, servers };
}

async function measureSingle(
  client: LoadClient,
  targets: readonly Target[],
  bodies: string,
  durationMs: number,
): Promise<ServingResult["single"]> {
  const single: ServingResult["single"][number][] = [];
  for (const { name, server } of targets) {
    const { host, port } = server;
    const job = { ...JOB_DEFAULTS, host, port, connections: 1, durationMs, readServerTiming: true };
    single.push({ target: name, report: await client.run(bodies, job) });
  }
  return single;
}

function publish(result: ServingResult): void {
  const page = renderServingReport(result);
  console.log(`\n${page}\n`);
  if (result.quick && options.out === undefined) return;
  const directory = resolve(options.out ?? join(ROOT, "benchmarks/results"));
  const file = join(directory, `${result.date}-serving-seed${result.quick ? "-quick" : ""}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify(result, roundNumbers, 2)}\n`);
  writeFileSync(`${file}.md`, `${page}\n`);
  console.log(`Written: ${file}.json and .md`);
}

/** Digits that mean nothing make files hard to compare. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}

/** Progress goes to stderr, so that stdout is the report alone. */
function say(what: string): void {
  console.error(`· ${what}`);
}
