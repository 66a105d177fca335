import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { PhaseFigures } from "../load/measure-phase.ts";
import { measurePhase } from "../load/measure-phase.ts";
import { readServerCounts } from "../servers/server-metrics.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { startSluice } from "../servers/server-process.ts";
import { listClassifiers, toVersionFlags } from "../servers/shipped-models.ts";
import type { BenchContext } from "./bench-context.ts";
import { ADMIT_ALL, NO_CACHE } from "./bench-context.ts";

/** A model that ships, in a closed loop. */
export interface ShippedModel {
  readonly model: string;
  readonly version: string;
  readonly backend: string;
  readonly corpus: string;
  readonly phase: PhaseFigures;
}

const CONNECTIONS = 64;

/** Every classifier of the models folder that is ready, one after the other, each in a server of its own default. */
export async function measureShipped(context: BenchContext): Promise<ShippedModel[]> {
  const { modelsDirectory, say } = context;
  const listed = await withServer(context, [], listClassifiers);
  const shipped: ShippedModel[] = [];
  for (const { model, version, backend } of listed) {
    say(`${model} ${version} from ${modelsDirectory}`);
    const flags = toVersionFlags({ model, version });
    const phases = await withServer(context, flags, (server) => measureOne(context, server));
    const entry = { model, version, backend: backend ?? "unknown" };
    shipped.push(...phases.map((measured) => ({ ...entry, ...measured })));
  }
  return shipped;
}

async function measureOne(
  { client, corpora, plan }: BenchContext,
  { host, port, pid }: ServerProcess,
): Promise<Pick<ShippedModel, "corpus" | "phase">[]> {
  const measured: Pick<ShippedModel, "corpus" | "phase">[] = [];
  for (const { name } of corpora) {
    const job = { ...JOB_DEFAULTS, host, port, connections: CONNECTIONS };
    await client.run(name, { ...job, durationMs: plan.warmUpMs });
    const phase = await measurePhase({
      client,
      pids: [pid],
      bodies: name,
      job: { ...job, durationMs: plan.phaseMs },
      readCounts: () => readServerCounts({ host, port }),
    });
    measured.push({ corpus: name, phase });
  }
  return measured;
}

async function withServer<Result>(
  { modelsDirectory }: BenchContext,
  flags: readonly string[],
  work: (server: ServerProcess) => Promise<Result>,
): Promise<Result> {
  const server = await startSluice({
    modelsDirectory,
    flags: [...NO_CACHE, ...ADMIT_ALL, ...flags],
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
