import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { LoadJob } from "../load/load-job.ts";
import type { PhaseFigures } from "../load/measure-phase.ts";
import { measurePhase } from "../load/measure-phase.ts";
import type { Precision } from "../models/build-seeded-packages.ts";
import { SEEDED_MODEL } from "../models/build-seeded-packages.ts";
import type { RawLimit } from "../raw/raw-limit.ts";
import { measureRawLimits } from "../raw/raw-limit.ts";
import { assertServing } from "../servers/assert-serving.ts";
import { readServerCounts } from "../servers/server-metrics.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { startSluice } from "../servers/server-process.ts";
import type { BenchContext, BenchCorpus } from "./bench-context.ts";
import { ADMIT_ALL, NO_CACHE } from "./bench-context.ts";
import { CONNECTIONS, OPEN_SHARES, SLO_MS } from "./plan.ts";

/** The server in a closed loop: the best of the repeats. */
export interface ClosedLoad {
  readonly corpus: string;
  readonly connections: number;
  /** Answers with 2xx per second. */
  readonly textsPerSecond: number;
  /** The same, if the texts drawn had been as long as those of the corpus are on average. */
  readonly correctedPerSecond: number;
  readonly repeats: readonly number[];
  readonly phase: PhaseFigures;
}

/** The server at one arrival rate. */
export interface OpenLoad {
  /** Of the capacity. */
  readonly share: number;
  readonly duePerSecond: number;
  readonly phase: PhaseFigures;
}

/** All arrival rates with one corpus. */
export interface OpenSeries {
  readonly corpus: string;
  readonly sloMs: number;
  /** The most that the server did in a closed loop, with any number of connections. */
  readonly capacityPerSecond: number;
  readonly loads: readonly OpenLoad[];
}

/** One precision: what the model can do without a server, before and after, and what the server makes of it. */
export interface LoadFigures {
  readonly precision: Precision;
  readonly backend: string;
  readonly raw: { readonly before: readonly RawLimit[]; readonly after: readonly RawLimit[] };
  readonly closed: readonly ClosedLoad[];
  readonly open: readonly OpenSeries[];
}

/** A server that answered nothing in time is still asked something. */
const LEAST_CAPACITY = 1;
const OPEN_CONNECTIONS = 1024;
/** Requests that may wait in the generator. More only lengthens the wait when the generator cannot keep up. */
const MAX_BACKLOG = 10_000;
/** So that what one rate left in the queues does not meet the next. */
const PAUSE_MS = 400;

/** @param hasOpenLoop whether to add the open loop */
export async function measureLoad(
  context: BenchContext,
  precision: Precision,
  hasOpenLoop: boolean,
): Promise<LoadFigures> {
  const { say } = context;
  say(`${precision}: raw limit`);
  const before = await measureRaw(context, precision);
  const closedLoop = await withServer(context, precision, ADMIT_ALL, async (server) => ({
    backend: await readBackend(server),
    closed: await measureAllClosed(context, server, precision),
  }));
  const open: OpenSeries[] = [];
  if (hasOpenLoop) {
    const measure = (server: ServerProcess) => measureAllOpen(context, server, closedLoop.closed);
    open.push(...(await withServer(context, precision, [], measure)));
  }
  say(`${precision}: raw limit, again`);
  const after = await measureRaw(context, precision);
  return { precision, raw: { before, after }, ...closedLoop, open };
}

async function withServer<Result>(
  { packages, flags, say }: BenchContext,
  precision: Precision,
  more: readonly string[],
  work: (server: ServerProcess) => Promise<Result>,
): Promise<Result> {
  say(`${precision}: starting the server`);
  const { modelsDirectory } = packages[precision];
  const settings = [...NO_CACHE, "--models.default-model", SEEDED_MODEL.name, ...more, ...flags];
  const server = await startSluice({ modelsDirectory, flags: settings });
  try {
    await assertServing(server);
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function measureAllClosed(
  context: BenchContext,
  server: ServerProcess,
  precision: Precision,
): Promise<ClosedLoad[]> {
  const closed: ClosedLoad[] = [];
  for (const corpus of context.corpora) {
    for (const connections of CONNECTIONS[precision]) {
      context.say(`${precision}: ${corpus.name} texts, ${connections} connections`);
      closed.push(await measureClosed(context, server, corpus, connections));
    }
  }
  return closed;
}

async function measureAllOpen(
  context: BenchContext,
  server: ServerProcess,
  closed: readonly ClosedLoad[],
): Promise<OpenSeries[]> {
  const open: OpenSeries[] = [];
  for (const corpus of context.corpora) {
    context.say(`${corpus.name} texts, open loop`);
    const rates = closed
      .filter(({ corpus: name }) => name === corpus.name)
      .map(({ correctedPerSecond }) => correctedPerSecond);
    open.push(await measureOpen(context, server, corpus, Math.max(LEAST_CAPACITY, ...rates)));
  }
  return open;
}

async function measureRaw(
  { packages, corpora, plan, cores }: BenchContext,
  precision: Precision,
): Promise<RawLimit[]> {
  const { modelPath } = packages[precision];
  const { padId } = SEEDED_MODEL;
  return await measureRawLimits(
    { modelPath, padId, threads: 1, workers: cores },
    corpora.map(({ name, encoded }) => ({ name, texts: encoded })),
    { durationMs: plan.rawMs, repeats: plan.repeats },
  );
}

async function measureClosed(
  { client, plan }: BenchContext,
  server: ServerProcess,
  corpus: BenchCorpus,
  connections: number,
): Promise<ClosedLoad> {
  const run = (seed: number, durationMs: number) =>
    measureOnServer(server, corpus, client, { ...JOB_DEFAULTS, connections, durationMs, seed });
  await run(1, plan.warmUpMs);
  const phases: PhaseFigures[] = [];
  for (let repeat = 1; repeat <= plan.repeats; repeat++) {
    phases.push(await run(1 + repeat * connections, plan.phaseMs));
  }
  const best = phases.reduce((a, b) => (correct(b, corpus) > correct(a, corpus) ? b : a));
  return {
    corpus: corpus.name,
    connections,
    textsPerSecond: best.report.acceptedPerSecond,
    correctedPerSecond: correct(best, corpus),
    repeats: phases.map(({ report }) => report.acceptedPerSecond),
    phase: best,
  };
}

/** A few long texts more or less among those drawn move the rate by several percent; their ids per second hardly. */
function correct({ report, batches }: PhaseFigures, { meanIds }: BenchCorpus): number {
  return report.acceptedPerSecond * ((batches?.idsPerText ?? meanIds) / meanIds);
}

async function measureOpen(
  { client, plan, pacing }: BenchContext,
  server: ServerProcess,
  corpus: BenchCorpus,
  capacityPerSecond: number,
): Promise<OpenSeries> {
  const sloMs = SLO_MS[corpus.name];
  const loads: OpenLoad[] = [];
  // A server that has just started has yet to learn how fast it is, on which depends whom it refuses.
  const warmUp = { ...JOB_DEFAULTS, connections: 8, durationMs: plan.warmUpMs };
  await measureOnServer(server, corpus, client, warmUp);
  for (const share of OPEN_SHARES) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const duePerSecond = share * capacityPerSecond;
    const phase = await measureOnServer(server, corpus, client, {
      ...JOB_DEFAULTS,
      connections: OPEN_CONNECTIONS,
      durationMs: plan.openMs,
      seed: 1000 + loads.length,
      sloMs,
      mode: {
        kind: "open",
        requestsPerSecond: duePerSecond,
        spacing: "exponential",
        pacing,
        maxBacklog: MAX_BACKLOG,
      },
    });
    loads.push({ share, duePerSecond, phase });
  }
  return { corpus: corpus.name, sloMs, capacityPerSecond, loads };
}

function measureOnServer(
  { host, port, pid }: ServerProcess,
  { name }: BenchCorpus,
  client: BenchContext["client"],
  job: Omit<LoadJob, "host" | "port">,
): Promise<PhaseFigures> {
  return measurePhase({
    client,
    pids: [pid],
    bodies: name,
    job: { ...job, host, port },
    readCounts: () => readServerCounts({ host, port }),
  });
}

/** What runs where, in the server's own words. */
async function readBackend({ host, port }: ServerProcess): Promise<string> {
  const response = await fetch(`http://${host}:${port}/models`, {
    headers: { connection: "close" },
  });
  const { models } = (await response.json()) as { models: readonly { backend?: string }[] };
  return models[0]?.backend ?? "unknown";
}
