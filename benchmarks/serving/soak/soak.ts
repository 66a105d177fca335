import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, toDefaultDataDirectory } from "../bench-options.ts";
import type { CorpusName } from "../corpus/corpus.ts";
import { createCorpora } from "../corpus/corpus.ts";
import { startLoadClient } from "../load/load-client.ts";
import {
  formatCount,
  formatFigure,
  formatPercent,
  renderMarkdownTable,
} from "../report/markdown-table.ts";
import { describeMachine } from "../servers/machine.ts";
import { startSluice } from "../servers/server-process.ts";
import { askOneByOne } from "./ask-one-by-one.ts";
import type { SoakResult } from "./run-soak.ts";
import { runSoak } from "./run-soak.ts";

/** Ten minutes of more than the server can do: does memory stay flat, and does every answer belong to its text? */
const HELP = `node benchmarks/serving/soak/soak.ts [options] [-- settings of the server]
  --minutes N        (default: 10; at most 60)
  --share N          of the measured capacity (default: 1.2)
  --models DIR       model packages (default: models)
  --corpus NAME      mixed, short or chinese (default: short)
  --texts N          different texts, each first asked alone (default: 2000)
  --connections N    of the open loop (default: 512)
  --data DIR         data sets (default: SLUICE_TEST_DATA or ../shared/data; made-up texts when missing)
  --json FILE        also writes the result as JSON`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    share: { type: "string", default: "1.2" },
    models: { type: "string", default: join(ROOT, "models") },
    corpus: { type: "string", default: "short" },
    texts: { type: "string", default: "2000" },
    connections: { type: "string", default: "512" },
    data: { type: "string", default: toDefaultDataDirectory() },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const MAX_MINUTES = 60;

// Whoever started a process ends it on "exit", which a signal alone does not bring about.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const minutes = Number(options.minutes);
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) {
    throw new RangeError(`--minutes: must be above 0 and at most ${MAX_MINUTES}`);
  }
  const { byName } = createCorpora(options.data);
  const corpus = byName[options.corpus as CorpusName];
  if (corpus === undefined) throw new RangeError(`--corpus: there is no corpus ${options.corpus}`);
  const texts = corpus.texts.slice(0, Number(options.texts));
  const machine = describeMachine();
  const flags = ["--cache.store.driver", "none", ...positionals];
  const client = startLoadClient();
  const server = await startSluice({ modelsDirectory: resolve(options.models), flags });
  try {
    console.error(`· ${texts.length} texts, one by one`);
    const { bodies, marks } = await askOneByOne(server, texts);
    await client.sendBodies("soak", bodies, marks);
    const soak = await runSoak({
      client,
      server,
      bodies: "soak",
      minutes,
      share: Number(options.share),
      connections: Number(options.connections),
      say: (what) => console.error(`· ${what}`),
    });
    const result = { machine, corpus: corpus.name, differentMarks: new Set(marks).size, ...soak };
    console.log(render(texts.length, result.differentMarks, soak));
    if (options.json !== undefined) {
      writeFileSync(resolve(options.json), `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await Promise.all([client.close(), server.stop()]);
  }
}

function render(texts: number, marks: number, { capacityPerSecond, minutes }: SoakResult): string {
  const header = [
    "minute",
    "due/s",
    "accepted/s",
    "shed",
    "p50 ms",
    "p99 ms",
    "other",
    "failed",
    "wrong",
    "RSS MiB",
    "highest",
  ];
  const rows = minutes.map((minute, i) => [
    String(i + 1),
    formatCount(minute.wantedPerSecond),
    formatCount(minute.report.acceptedPerSecond),
    formatPercent(minute.shedShare),
    formatFigure(minute.report.accepted.p50Ms),
    formatFigure(minute.report.accepted.p99Ms),
    formatCount(minute.otherAnswers),
    formatCount(minute.failedRequests),
    formatCount(minute.report.wrongAnswers),
    formatFigure(minute.memory?.after),
    formatFigure(minute.memory?.highest),
  ]);
  const accepted = minutes.reduce((sum, { report }) => sum + report.accepted.count, 0);
  const wrong = minutes.reduce((sum, { report }) => sum + report.wrongAnswers, 0);
  return [
    `Capacity, closed loop: ${formatCount(capacityPerSecond)} accepted requests/s`,
    renderMarkdownTable(header, rows),
    `${formatCount(accepted)} answers held against those of the same texts asked alone (${formatCount(texts)} texts, ${formatCount(marks)} different answers): ${wrong} wrong.`,
  ].join("\n\n");
}
