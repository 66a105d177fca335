import type { PhaseFigures } from "../load/measure-phase.ts";
import { countFailures, toShedShare } from "../load/measure-phase.ts";
import type { GatewayFigures } from "../parts/measure-gateway.ts";
import type { ClosedLoad, LoadFigures, OpenSeries } from "../parts/measure-load.ts";
import type { ModelFigures } from "../parts/measure-model.ts";
import type { ShippedModel } from "../parts/measure-shipped.ts";
import type { BenchmarkResult, Ratio } from "./benchmark-result.ts";
import { toRawLimit } from "./judge-ratios.ts";
import { formatCount, formatFigure, formatPercent, renderMarkdownTable } from "./markdown-table.ts";

/** The result as a Markdown page, which also reads well in a terminal. */
export function renderReport(result: BenchmarkResult, chartFile: string | undefined): string {
  const { load, model, coldStart, gateway, shipped } = result;
  return [
    `# Serving, ${result.date}${result.quick ? " (quick run: short and noisy)" : ""}`,
    renderCircumstances(result),
    "## Ratios",
    renderRatios(result.ratios),
    ...(chartFile === undefined ? [] : [`![Texts/s and latencies](${chartFile})`]),
    ...(load ?? []).flatMap(renderLoad),
    ...(model === undefined ? [] : renderModel(model)),
    ...(coldStart === undefined
      ? []
      : [
          "## Cold start, INT8",
          `Process start to first answer: median ${formatFigure(coldStart.firstAnswerMs)} ms of ${coldStart.starts.map(formatFigure).join(", ")}; resident memory then ${formatFigure(coldStart.residentMib)} MiB. Files were in the page cache.`,
        ]),
    ...(gateway === undefined ? [] : renderGateway(gateway)),
    ...(shipped === undefined ? [] : renderShipped(shipped)),
  ].join("\n\n");
}

/** Machine and texts: what the figures cannot be read without. */
export function renderCircumstances({ machine, corpora, textSource }: BenchmarkResult): string {
  const texts = corpora.map(
    ({ name, texts: count, meanIds, p50Ids, p90Ids, p99Ids, digest }) =>
      `${name}: ${formatCount(count)} texts, mean ${formatFigure(meanIds)} ids, p50 ${p50Ids}, p90 ${p90Ids}, p99 ${p99Ids} (${digest})`,
  );
  const source =
    textSource === "synthetic" ? "**made up** (the data sets are missing)" : textSource;
  return [
    `- Machine: ${machine.cpu}, ${machine.cores} cores shared by server, generator and everything else, ${machine.memoryGib} GiB, ${machine.platform}, Node ${machine.node}; load average before the run ${machine.loadBefore}`,
    `- Texts: ${source}; ${texts.join("; ")}`,
    "- Model: shape of MiniLM-L6-H384 with seeded weights; INT8 with constant activation scales. No result cache.",
  ].join("\n");
}

export function renderRatios(ratios: readonly Ratio[]): string {
  const rows = ratios.map(({ name, goal, measured, verdict }) => [name, goal, measured, verdict]);
  return renderMarkdownTable(["ratio", "goal", "measured", "verdict"], rows);
}

function renderLoad(load: LoadFigures): string[] {
  const title = load.precision.toUpperCase();
  return [
    `## ${title}: raw limit`,
    renderRaw(load),
    `One thread per core runs the model in a loop, on batches sorted within 64 texts and of at most 256 ids. The server: ${load.backend}.`,
    `## ${title}: closed loop`,
    renderClosed(load),
    "The best of the repeats. *Of raw* is against the better of before and after, at the mean length of the corpus: texts/s times ids per text drawn over ids per text of the corpus. Cores are processor time per second; *event loop* is the part of the server's first thread.",
    ...load.open.flatMap((series) => [
      `## ${title}: open loop, ${series.corpus} texts, SLO ${series.sloMs} ms`,
      renderOpen(series),
      `Random arrivals. Latency counts from the moment a request was due. Capacity: ${formatFigure(series.capacityPerSecond)} texts/s, the best of the closed loops.`,
    ]),
  ];
}

function renderRaw({ raw }: LoadFigures): string {
  const rows = raw.before.map(({ corpus, textsPerSecond, repeats }) => {
    const after = raw.after.find((limit) => limit.corpus === corpus);
    const all = [...repeats, ...(after?.repeats ?? [])];
    return [
      `${corpus} texts`,
      formatFigure(textsPerSecond),
      formatFigure(after?.textsPerSecond),
      formatPercent(Math.max(...all) / Math.min(...all) - 1),
    ];
  });
  return renderMarkdownTable(["raw limit", "texts/s before", "after", "spread"], rows);
}

function renderClosed(load: LoadFigures): string {
  const header = [
    "texts, connections",
    "texts/s",
    "of raw",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    ...RESOURCES,
  ];
  const rows = load.closed.map((closed) => [
    `${closed.corpus}, ${closed.connections}`,
    formatFigure(closed.textsPerSecond),
    formatPercent(closed.correctedPerSecond / (toRawLimit(load, closed.corpus) ?? Number.NaN)),
    ...renderLatencies(closed),
    ...renderResources(closed.phase),
  ]);
  return renderMarkdownTable(header, rows);
}

function renderLatencies({ phase }: Pick<ClosedLoad, "phase">): string[] {
  const { p50Ms, p95Ms, p99Ms } = phase.report.accepted;
  return [p50Ms, p95Ms, p99Ms].map(formatFigure);
}

/** Columns of {@link renderResources}. */
const RESOURCES = [
  "padding",
  "texts/batch",
  "ids/text",
  "server cores",
  "event loop",
  "generator",
  "RSS MiB",
  "failed",
] as const;

function renderResources(phase: PhaseFigures): string[] {
  return [
    formatFigure(phase.batches?.paddingRatio),
    formatFigure(phase.batches?.textsPerBatch),
    formatFigure(phase.batches?.idsPerText),
    formatFigure(phase.serverCores),
    formatFigure(phase.mainThreadCores),
    formatFigure(phase.generatorCores),
    formatFigure(phase.residentMib),
    formatCount(countFailures(phase.report)),
  ];
}

function renderOpen({ loads }: OpenSeries): string {
  const header = [
    "of capacity",
    "due/s",
    "sent/s",
    "accepted/s",
    "goodput/s",
    "shed",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "p99 from write",
    "429 p99 ms",
    "missed",
    ...RESOURCES,
  ];
  const rows = loads.map(({ share, duePerSecond, phase }) => {
    const { report } = phase;
    return [
      `${share} ×`,
      formatFigure(duePerSecond),
      formatFigure(report.sentPerSecond),
      formatFigure(report.acceptedPerSecond),
      formatFigure(report.goodPerSecond),
      formatPercent(toShedShare(report)),
      ...renderLatencies({ phase }),
      formatFigure(report.acceptedFromWrite.p99Ms),
      report.rejected.count === 0 ? "-" : formatFigure(report.rejectedFromWrite.p99Ms),
      formatCount(report.missed),
      ...renderResources(phase),
    ];
  });
  return renderMarkdownTable(header, rows);
}

function renderModel({ policies, cost, independence }: ModelFigures): string[] {
  const header = [
    "INT8, all texts queued",
    "policy texts/s",
    "padding",
    "texts/batch",
    "FIFO 32 texts/s",
    "padding",
    "one at a time",
    "policy, through the batcher",
  ];
  const rows = policies.map(({ corpus, policy, fifo, alone, replayedPerSecond }) => [
    `${corpus} texts`,
    formatFigure(policy.textsPerSecond),
    formatFigure(policy.paddingRatio),
    formatFigure(policy.textsPerBatch),
    formatFigure(fifo.textsPerSecond),
    formatFigure(fifo.paddingRatio),
    formatFigure(alone.textsPerSecond),
    formatFigure(replayedPerSecond),
  ]);
  const independent = Object.entries(independence).map(
    ([precision, { texts, changed, largestDifference }]) =>
      `${precision.toUpperCase()} ${changed} of ${texts} texts changed, largest difference ${largestDifference}`,
  );
  return [
    "## Batch policy, without HTTP",
    renderMarkdownTable(header, rows),
    `What the server's batcher put together, batches in the order of arrival, and single texts, in turns on the same raw threads: only what runs together differs. *Through the batcher* is the first of these with everything that the server does for it, to the very last answer. The server's measurement of the model: ${formatFigure(cost.fixedMs)} ms a run and ${formatFigure(cost.perTokenMs)} ms an id.`,
    "## The same text alone and in batches of 2, 8 and 32",
    `Logits, bit for bit: ${independent.join("; ")}.`,
  ];
}

function renderGateway(gateway: readonly GatewayFigures[]): string[] {
  const rows = gateway.flatMap(({ corpus, withoutInference, withModel }) =>
    [withoutInference, withModel].map((figures) => [
      `${corpus}, ${figures.target}`,
      formatCount(figures.requestsPerSecond),
      formatPercent(figures.ratioToFirst),
      figures.cpuRatioToFirst === undefined ? "-" : formatPercent(figures.cpuRatioToFirst),
      formatFigure(figures.latency.p50Ms),
      formatFigure(figures.latency.p99Ms),
      formatFigure(figures.serverMicrosecondsPerRequest),
      formatFigure(figures.generatorMicrosecondsPerRequest),
    ]),
  );
  const header = [
    "texts, server",
    "requests/s",
    "ratio",
    "by CPU time",
    "p50 ms",
    "p99 ms",
    "server µs/req",
    "generator µs/req",
  ];
  return [
    "## n-gram model beside the same server without inference",
    renderMarkdownTable(header, rows),
  ];
}

function renderShipped(shipped: readonly ShippedModel[]): string[] {
  const rows = shipped.map(({ model, version, backend, corpus, phase }) => [
    `${model} ${version}, ${corpus} texts`,
    backend,
    formatFigure(phase.report.acceptedPerSecond),
    ...renderLatencies({ phase }),
    ...renderResources(phase),
  ]);
  const header = ["model", "runs on", "texts/s", "p50 ms", "p95 ms", "p99 ms", ...RESOURCES];
  return ["## Models that ship, 64 connections", renderMarkdownTable(header, rows)];
}
