import { join } from "node:path";
import { toBody } from "../corpus/corpus.ts";
import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { PhaseFigures } from "../load/measure-phase.ts";
import { measurePhase } from "../load/measure-phase.ts";
import type { Precision } from "../models/build-seeded-packages.ts";
import { SEEDED_MODEL } from "../models/build-seeded-packages.ts";
import type { BenchContext } from "../parts/bench-context.ts";
import { ADMIT_ALL, NO_CACHE } from "../parts/bench-context.ts";
import { readServerCounts } from "../servers/server-metrics.ts";
import { startSluice } from "../servers/server-process.ts";
import type { PeerEnvironment } from "./peer-environment.ts";
import { preparePeerEnvironment } from "./peer-environment.ts";
import type { PeerKind, PeerPrediction, PeerSetting } from "./peer-kinds.ts";
import { PEER_KINDS } from "./peer-kinds.ts";
import { startPeer } from "./peer-process.ts";

/** A peer in one setting, in a closed loop with 64 connections. */
export interface PeerRun {
  readonly peer: string;
  readonly setting: PeerSetting;
  readonly phases: readonly { readonly corpus: string; readonly phase: PhaseFigures }[];
}

/** Sluice in the same run. */
export interface OwnRun {
  readonly precision: Precision;
  readonly phases: PeerRun["phases"];
}

export interface PeerFigures {
  readonly own: readonly OwnRun[];
  readonly runs: readonly PeerRun[];
  readonly versions: readonly {
    readonly peer: string;
    readonly versions: PeerEnvironment["versions"];
  }[];
  readonly skipped: readonly { readonly peer: string; readonly reason: string }[];
}

const CONNECTIONS = 64;
/** Answers of a peer that are held against Sluice's before anything is measured. */
const COMPARED_TEXTS = 16;
/** Both compute with the same library, but not on the same batches. */
const MAX_DIFFERENCE = 1e-3;

/** An address that takes texts. */
interface Target {
  readonly host: string;
  readonly port: number;
  readonly pids: readonly number[];
  readonly path: string;
  /** Name of the bodies, for each corpus. */
  readonly bodiesOf: (corpus: string) => string;
}

/**
 * Loads every peer that can be installed, one after the other, with the same model in FP32, the same tokenizer and as many
 * threads as there are cores, and Sluice before them.
 *
 * @param environments folder for Python environments, which are kept
 */
export async function measurePeers(
  context: BenchContext,
  environments: string,
): Promise<PeerFigures> {
  const { say } = context;
  const reference: PeerPrediction[] = [];
  const own: OwnRun[] = [];
  for (const precision of ["fp32", "int8"] as const) {
    say(`peers: sluice, ${precision}`);
    own.push(await measureOwn(context, precision, reference));
  }
  const runs: PeerRun[] = [];
  const versions: { peer: string; versions: PeerEnvironment["versions"] }[] = [];
  const skipped: { peer: string; reason: string }[] = [];
  for (const kind of PEER_KINDS) {
    say(`peers: ${kind.title}`);
    try {
      const environment = await preparePeerEnvironment(kind, environments);
      versions.push({ peer: kind.title, versions: environment.versions });
      await measureKind(context, { kind, environment, reference, runs });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      skipped.push({ peer: kind.title, reason });
      say(`peers: ${kind.title} is skipped: ${reason}`);
    }
  }
  return { own, runs, versions, skipped };
}

/** @param reference gets the answers of the FP32 model, to hold those of the peers against */
async function measureOwn(
  context: BenchContext,
  precision: Precision,
  reference: PeerPrediction[],
): Promise<OwnRun> {
  const { modelsDirectory } = context.packages[precision];
  const flags = [
    ...NO_CACHE,
    ...ADMIT_ALL,
    "--models.default-model",
    SEEDED_MODEL.name,
    ...context.flags,
  ];
  const server = await startSluice({ modelsDirectory, flags });
  try {
    if (precision === "fp32") {
      for (const text of comparedTexts(context)) {
        const answer = (await ask(server, "/classify", toBody(text))) as {
          predictions: PeerPrediction[];
        };
        reference.push(...answer.predictions.slice(0, 1));
      }
    }
    const { host, port, pid } = server;
    const target = { host, port, pids: [pid], path: "/classify", bodiesOf: (name: string) => name };
    const readCounts = () => readServerCounts(server);
    return { precision, phases: await measureCorpora(context, target, readCounts) };
  } finally {
    await server.stop();
  }
}

interface KindOptions {
  readonly kind: PeerKind;
  readonly environment: PeerEnvironment;
  /** Sluice's answers to {@link comparedTexts}. */
  readonly reference: readonly PeerPrediction[];
  /** Gets what was measured, so that a setting that fails takes nothing away from the others. */
  readonly runs: PeerRun[];
}

/** Two ways to use the cores; then, with the better one, without batching, which long texts may well prefer. */
async function measureKind(context: BenchContext, options: KindOptions): Promise<void> {
  const { cores } = context;
  const { kind, runs } = options;
  const { maxBatch } = kind;
  await sendBodies(context, kind);
  const found = [await measureSetting(context, options, { workers: cores, threads: 1, maxBatch })];
  runs.push(...found);
  if (cores > 1) {
    const other = await measureSetting(context, options, { workers: 1, threads: cores, maxBatch });
    found.push(other);
    runs.push(other);
  }
  const best = found.reduce((a, b) => (toMixedRate(b) > toMixedRate(a) ? b : a));
  runs.push(await measureSetting(context, options, { ...best.setting, maxBatch: 1 }));
}

async function measureSetting(
  context: BenchContext,
  { kind, environment, reference }: KindOptions,
  setting: PeerSetting,
): Promise<PeerRun> {
  const description = describeSetting(setting);
  context.say(`peers: ${kind.title}, ${description}`);
  const workDirectory = join(context.workDirectory, `peer-${kind.name}`);
  const model = toModelEnvironment(context);
  try {
    const peer = await startPeer({ kind, environment, setting, model, workDirectory });
    try {
      await assertSameAnswers(kind, peer, comparedTexts(context), reference);
      const target = {
        ...peer,
        path: kind.path,
        bodiesOf: (corpus: string) => toBodiesName(kind, corpus),
      };
      return { peer: kind.title, setting, phases: await measureCorpora(context, target) };
    } finally {
      await peer.stop();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${description}: ${reason}`, { cause });
  }
}

/** Peers that take the same bodies as Sluice need no others. */
function toBodiesName(kind: PeerKind, corpus: string): string {
  return kind.toBody === toBody ? corpus : `${kind.name} ${corpus}`;
}

async function sendBodies({ client, corpora }: BenchContext, kind: PeerKind): Promise<void> {
  if (kind.toBody === toBody) return;
  for (const { name, texts } of corpora) {
    await client.sendBodies(toBodiesName(kind, name), texts.map(kind.toBody));
  }
}

export function describeSetting({ workers, threads, maxBatch }: PeerSetting): string {
  const batching = maxBatch === 1 ? "no batching" : `batches up to ${maxBatch}`;
  return `${workers} × ${threads} ${threads === 1 ? "thread" : "threads"}, ${batching}`;
}

export function toMixedRate({ phases }: Pick<PeerRun, "phases">): number {
  const mixed = phases.find(({ corpus }) => corpus === "mixed");
  return mixed?.phase.report.acceptedPerSecond ?? 0;
}

async function measureCorpora(
  { client, corpora, plan }: BenchContext,
  { host, port, pids, path, bodiesOf }: Target,
  readCounts?: Parameters<typeof measurePhase>[0]["readCounts"],
): Promise<PeerRun["phases"]> {
  const phases: { corpus: string; phase: PhaseFigures }[] = [];
  for (const { name } of corpora) {
    const bodies = bodiesOf(name);
    const job = { ...JOB_DEFAULTS, host, port, path, connections: CONNECTIONS, timeoutMs: 30_000 };
    await client.run(bodies, { ...job, durationMs: plan.warmUpMs });
    const measured = { ...job, seed: 500, durationMs: plan.peerMs };
    const options = { client, pids, bodies, job: measured };
    const phase = await measurePhase(
      readCounts === undefined ? options : { ...options, readCounts },
    );
    phases.push({ corpus: name, phase });
  }
  return phases;
}

function comparedTexts({ corpora }: BenchContext): readonly string[] {
  const mixed = corpora.find(({ name }) => name === "mixed");
  return mixed?.texts.slice(0, COMPARED_TEXTS) ?? [];
}

/** @throws Error when the peer computes something else: its speed would mean nothing */
async function assertSameAnswers(
  kind: PeerKind,
  address: { readonly host: string; readonly port: number },
  texts: readonly string[],
  reference: readonly PeerPrediction[],
): Promise<void> {
  for (const [i, text] of texts.entries()) {
    const answer = await ask(address, kind.path, kind.toBody(text));
    const { label, confidence } = kind.readPrediction(answer, SEEDED_MODEL.labels);
    const expected = reference[i];
    const difference = Math.abs(confidence - (expected?.confidence ?? Number.NaN));
    if (label === expected?.label && difference <= MAX_DIFFERENCE) continue;
    throw new Error(
      `it answers ${label} ${confidence} where Sluice answers ${expected?.label} ${expected?.confidence}`,
    );
  }
}

async function ask(
  { host, port }: { readonly host: string; readonly port: number },
  path: string,
  body: string,
): Promise<unknown> {
  const response = await fetch(`http://${host}:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body,
  });
  if (!response.ok) throw new Error(`it answers ${response.status}: ${await response.text()}`);
  return await response.json();
}

function toModelEnvironment({ packages }: BenchContext): Record<string, string> {
  const { folder, modelPath } = packages.fp32;
  return {
    BENCH_MODEL: modelPath,
    BENCH_TOKENIZER: join(folder, "tokenizer.json"),
    BENCH_LABELS: SEEDED_MODEL.labels.join(","),
    BENCH_MAX_TOKENS: `${SEEDED_MODEL.maxTokens}`,
    BENCH_PAD_ID: `${SEEDED_MODEL.padId}`,
  };
}
