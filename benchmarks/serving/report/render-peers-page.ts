import { countFailures } from "../load/measure-phase.ts";
import type { PeerFigures, PeerRun } from "../peers/measure-peers.ts";
import { describeSetting, toMixedRate } from "../peers/measure-peers.ts";
import type { BenchmarkResult } from "./benchmark-result.ts";
import { formatCount, formatFigure, renderMarkdownTable } from "./markdown-table.ts";
import { renderCircumstances, renderRatios } from "./render-report.ts";

const NOTES = `All serve the same model in FP32 with the same tokenizer; texts are padded to the longest of their batch. Closed loop, 64
connections, one after the other on the same machine, with as many threads of ONNX Runtime as there are cores. The answers
of each to some texts were held against Sluice's before it was measured. The article's stack is the article's design with
its mistakes repaired; its cache is empty at the start of each setting and hits when the load repeats a text. Memory counts
pages that processes share once for each.`;

/** Other servers with the same model, beside Sluice in the same run. */
export function renderPeersPage(result: BenchmarkResult, peers: PeerFigures): string {
  const versions = peers.versions.map(
    ({ peer, versions: found }) =>
      `- ${peer}: ${Object.entries(found)
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}`,
  );
  const skipped = peers.skipped.map(({ peer, reason }) => `- ${peer}: skipped, ${reason}`);
  return [
    `# Sluice and others, ${result.date}${result.quick ? " (quick run: short and noisy)" : ""}`,
    renderCircumstances(result),
    "## Ratios",
    renderRatios(result.ratios.filter(({ name }) => name.includes("peer"))),
    "## All settings",
    renderRuns(peers),
    NOTES,
    "## Versions",
    [...versions, ...skipped].join("\n"),
  ].join("\n\n");
}

function renderRuns({ own, runs }: PeerFigures): string {
  const fp32 = own.find(({ precision }) => precision === "fp32");
  const ownRate = fp32 === undefined ? Number.NaN : toMixedRate(fp32);
  const header = [
    "server",
    "texts",
    "texts/s",
    "Sluice FP32 / this",
    "p50 ms",
    "p99 ms",
    "cores",
    "generator",
    "RSS MiB",
    "failed",
  ];
  const named = [
    ...own.map(({ precision, phases }) => ({
      name: `Sluice, ${precision.toUpperCase()}`,
      phases,
    })),
    ...runs.map(({ peer, setting, phases }) => ({
      name: `${peer}, ${describeSetting(setting)}`,
      phases,
    })),
  ];
  const rows = named.flatMap(({ name, phases }) =>
    phases.map((one) => renderPhase(name, one, ownRate)),
  );
  return renderMarkdownTable(header, rows);
}

function renderPhase(
  name: string,
  { corpus, phase }: PeerRun["phases"][number],
  ownMixedRate: number,
): string[] {
  const { report } = phase;
  const gain = corpus === "mixed" ? ownMixedRate / report.acceptedPerSecond : undefined;
  return [
    name,
    corpus,
    formatFigure(report.acceptedPerSecond),
    gain === undefined ? "" : `${formatFigure(gain)} ×`,
    formatFigure(report.accepted.p50Ms),
    formatFigure(report.accepted.p99Ms),
    formatFigure(phase.serverCores),
    formatFigure(phase.generatorCores),
    formatFigure(phase.residentMib),
    formatCount(countFailures(report)),
  ];
}
