import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions } from "./bench-options.ts";
import { HELP, parseBenchOptions } from "./bench-options.ts";
import { createCorpora, toBody } from "./corpus/corpus.ts";
import { startLoadClient } from "./load/load-client.ts";
import { buildSeededPackages, PRECISIONS, SEEDED_MODEL } from "./models/build-seeded-packages.ts";
import type { BenchContext, BenchCorpus } from "./parts/bench-context.ts";
import { TRANSFORMER_CORPORA } from "./parts/bench-context.ts";
import { measureColdStart } from "./parts/measure-cold-start.ts";
import { measureGateway } from "./parts/measure-gateway.ts";
import type { LoadFigures } from "./parts/measure-load.ts";
import { measureLoad } from "./parts/measure-load.ts";
import { measureModel } from "./parts/measure-model.ts";
import { measureShipped } from "./parts/measure-shipped.ts";
import { FULL_PLAN, QUICK_PLAN } from "./parts/plan.ts";
import { measurePeers } from "./peers/measure-peers.ts";
import type { CorpusFacts, Measured } from "./report/benchmark-result.ts";
import { judgeRatios } from "./report/judge-ratios.ts";
import { publishResult } from "./report/publish-result.ts";
import type { Machine } from "./servers/machine.ts";
import { describeMachine } from "./servers/machine.ts";

/** With fewer, a generator that polls takes processor time from the server and spoils what it measures. */
const CORES_FOR_POLLING = 4;

/**
 * `npm run bench`: the server with transformers, against what the model can do without it. benchmarks/README.md says what
 * is measured and how to read it.
 */
const options = parseBenchOptions(process.argv.slice(2));
// Whoever started a process ends it on "exit", which a signal alone does not bring about.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
if (options === undefined) console.log(HELP);
else await main(options);

async function main(asked: BenchOptions): Promise<void> {
  const machine = describeMachine();
  const workDirectory = mkdtempSync(join(tmpdir(), "sluice-benchmark-"));
  process.once("exit", () => rmSync(workDirectory, { recursive: true, force: true }));
  const client = startLoadClient();
  try {
    say("texts, vocabulary and models");
    const { source, byName } = createCorpora(asked.dataDirectory);
    const named = TRANSFORMER_CORPORA.map((name) => byName[name]);
    const packages = await buildSeededPackages(
      join(workDirectory, "models"),
      named.flatMap(({ texts }) => texts),
    );
    const corpora = TRANSFORMER_CORPORA.map((name): BenchCorpus => {
      const corpus = byName[name];
      const encoded = packages.encode(corpus.texts);
      return { ...corpus, name, encoded, meanIds: toMeanIds(encoded) };
    });
    for (const { name, texts } of corpora) await client.sendBodies(name, texts.map(toBody));
    const context: BenchContext = {
      client,
      corpora,
      packages,
      modelsDirectory: asked.modelsDirectory,
      workDirectory,
      plan: asked.quick ? QUICK_PLAN : FULL_PLAN,
      cores: machine.cores,
      pacing: machine.cores >= CORES_FOR_POLLING ? "precise" : "sparing",
      flags: asked.flags,
      say,
    };
    const measured: Measured = {
      ...describeRun(asked, machine),
      textSource: source,
      corpora: corpora.map(toFacts),
      ...(await measureParts(context, asked)),
    };
    publishResult({ ...measured, ratios: judgeRatios(measured) }, asked.outDirectory);
  } finally {
    await client.close();
  }
}

type Parts = Pick<Measured, "load" | "model" | "coldStart" | "gateway" | "shipped" | "peers">;

async function measureParts(
  context: BenchContext,
  { parts, cacheDirectory }: BenchOptions,
): Promise<Parts> {
  const load: LoadFigures[] = [];
  if (parts.has("load")) {
    for (const precision of PRECISIONS) {
      load.push(await measureLoad(context, precision, precision === "int8"));
    }
  }
  if (parts.has("cold-start")) say(`cold start of ${SEEDED_MODEL.name}, int8`);
  return {
    ...(parts.has("load") ? { load } : {}),
    ...(parts.has("cold-start") ? { coldStart: await measureColdStart(context) } : {}),
    ...(parts.has("model") ? { model: await measureModel(context) } : {}),
    ...(parts.has("gateway") ? { gateway: await measureGateway(context) } : {}),
    ...(parts.has("shipped") ? { shipped: await measureShipped(context) } : {}),
    ...(parts.has("peers")
      ? { peers: await measurePeers(context, join(cacheDirectory, "peers")) }
      : {}),
  };
}

function describeRun(
  { quick }: BenchOptions,
  machine: Machine,
): Pick<Measured, "benchmark" | "date" | "quick" | "machine"> {
  return { benchmark: "serving", date: new Date().toISOString().slice(0, 10), quick, machine };
}

function toFacts({ name, texts, encoded, meanIds, digest }: BenchCorpus): CorpusFacts {
  const lengths = encoded.map(({ ids }) => ids.length).sort((a, b) => a - b);
  const at = (share: number) => lengths[Math.floor(share * (lengths.length - 1))] ?? 0;
  return {
    name,
    texts: texts.length,
    meanIds,
    p50Ids: at(0.5),
    p90Ids: at(0.9),
    p99Ids: at(0.99),
    digest,
  };
}

function toMeanIds(encoded: BenchCorpus["encoded"]): number {
  return encoded.reduce((sum, { ids }) => sum + ids.length, 0) / encoded.length;
}

/** Progress goes to stderr, so that stdout is the report alone. */
function say(what: string): void {
  console.error(`· ${what}`);
}
