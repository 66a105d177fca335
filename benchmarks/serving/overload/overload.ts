import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, toDefaultDataDirectory } from "../bench-options.ts";
import type { CorpusName } from "../corpus/corpus.ts";
import { createCorpora, toBody } from "../corpus/corpus.ts";
import { startLoadClient } from "../load/load-client.ts";
import {
  formatCount,
  formatFigure,
  formatPercent,
  renderMarkdownTable,
} from "../report/markdown-table.ts";
import { assertServing } from "../servers/assert-serving.ts";
import { startSluice } from "../servers/server-process.ts";
import type { OverloadPhase, OverloadResult } from "./overload-phases.ts";
import { runOverload } from "./overload-phases.ts";

/** What a server does with far more requests than it can answer. */
const HELP = `node benchmarks/serving/overload/overload.ts [options] [-- settings of the server]
  --models DIR       starts a server, without result cache, with these model packages (default: models)
  --url URL          uses a running server on this machine instead
  --pid N            process of that server, to watch its memory
  --multiples LIST   of the measured capacity (default: 0.8,10)
  --seconds N        for each phase (default: 4)
  --connections N    of the open loop (default: 1024)
  --corpus NAME      mixed, short or chinese (default: short)
  --data DIR         data sets (default: SLUICE_TEST_DATA or ../shared/data; made-up texts when missing)
  --json FILE        also writes the result as JSON`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: "string", default: join(ROOT, "models") },
    url: { type: "string" },
    pid: { type: "string" },
    multiples: { type: "string", default: "0.8,10" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "1024" },
    corpus: { type: "string", default: "short" },
    data: { type: "string", default: toDefaultDataDirectory() },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const { byName } = createCorpora(options.data);
  const corpus = byName[options.corpus as CorpusName];
  if (corpus === undefined) throw new RangeError(`--corpus: there is no corpus ${options.corpus}`);
  const client = startLoadClient();
  const server = await findServer();
  try {
    await assertServing(server);
    await client.sendBodies(corpus.name, corpus.texts.map(toBody));
    const result = await runOverload({
      client,
      ...server,
      bodies: corpus.name,
      closedConnections: 64,
      openConnections: Number(options.connections),
      multiples: options.multiples.split(",").map(Number),
      durationMs: Number(options.seconds) * 1000,
    });
    console.log(render(result));
    if (options.json !== undefined) {
      writeFileSync(resolve(options.json), `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await Promise.all([client.close(), server.stop()]);
  }
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

async function findServer(): Promise<Server> {
  if (options.url === undefined) {
    const flags = ["--cache.store.driver", "none", ...positionals];
    return await startSluice({ modelsDirectory: resolve(options.models), flags });
  }
  const { hostname, port } = new URL(options.url);
  const pid = options.pid === undefined ? undefined : Number(options.pid);
  return { host: hostname, port: Number(port), pid, stop: async () => {} };
}

function render({ capacityPerSecond, phases }: OverloadResult): string {
  const header = [
    "phase",
    "due/s",
    "sent/s",
    "accepted/s",
    "p50 ms",
    "p99 ms",
    "from write p50",
    "p99",
    "shed",
    "429 p99 ms",
    "other",
    "failed",
    "missed",
    "generator cores",
    "RSS MiB",
    "highest",
    "after",
  ];
  const table = renderMarkdownTable(header, phases.map(toRow));
  return `Capacity, closed loop: ${formatCount(capacityPerSecond)} accepted requests/s\n\n${table}`;
}

function toRow(phase: OverloadPhase): string[] {
  const { report, memory } = phase;
  return [
    `${phase.share} × capacity`,
    formatCount(phase.wantedPerSecond),
    formatCount(report.sentPerSecond),
    formatCount(report.acceptedPerSecond),
    formatFigure(report.accepted.p50Ms),
    formatFigure(report.accepted.p99Ms),
    formatFigure(report.acceptedFromWrite.p50Ms),
    formatFigure(report.acceptedFromWrite.p99Ms),
    formatPercent(phase.shedShare),
    report.rejected.count === 0 ? "-" : formatFigure(report.rejectedFromWrite.p99Ms),
    formatCount(phase.otherAnswers),
    formatCount(phase.failedRequests),
    formatCount(report.missed),
    formatFigure(report.generatorCpuSeconds / (report.durationMs / 1000)),
    formatFigure(memory?.before),
    formatFigure(memory?.highest),
    formatFigure(memory?.after),
  ];
}
