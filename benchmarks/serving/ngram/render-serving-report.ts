import {
  formatCount,
  formatFigure,
  formatPercent,
  renderMarkdownTable,
} from "../report/markdown-table.ts";
import type { ClosedFigures } from "./closed-rounds.ts";
import type { ServingResult } from "./serving-result.ts";

/** The result as a Markdown page, which also reads well in a terminal. */
export function renderServingReport(result: ServingResult): string {
  return [
    `# Serving seed, ${result.date}${result.quick ? " (quick run: short and noisy)" : ""}`,
    renderCircumstances(result),
    "## Goals",
    renderGoals(result),
    `## Closed loop, ${result.connections} connections`,
    ...result.closed.map(({ corpus, figures }) => renderClosed(corpus, figures)),
    "Medians of the rounds; latency of the median round. The ratio is the median of the ratios within each round; by CPU time it is echo's processor time per request over the target's, which other work on the machine touches less.",
    "## The model alone, in a loop",
    renderRaw(result),
    `## Open loop, random arrivals, cache off (${result.closed[0]?.corpus ?? ""} texts)`,
    renderOpen(result),
    "## One connection: where the time goes",
    renderSingle(result),
    "## Processes",
    renderServers(result),
  ].join("\n\n");
}

function renderCircumstances({ machine, model, corpora, textSource }: ServingResult): string {
  const texts = corpora.map(
    ({ name, texts, meanCharacters, medianCharacters, digest }) =>
      `${name}: ${formatCount(texts)} texts, mean ${meanCharacters}, median ${medianCharacters} characters (${digest})`,
  );
  return [
    `- Machine: ${machine.cpu}, ${machine.cores} cores shared by server, generator and everything else, ${machine.memoryGib} GiB, ${machine.platform}, Node ${machine.node}; load average before the run ${machine.loadBefore}`,
    `- Model: ${model.name} ${model.version}, ${model.labels} labels, ${model.backend}`,
    `- Texts: ${textSource}; ${texts.join("; ")}`,
  ].join("\n");
}

function renderGoals({ goals }: ServingResult): string {
  const rows = goals.map(({ name, goal, measured, met }) => [
    name,
    goal,
    measured,
    met ? "met" : "MISSED",
  ]);
  return renderMarkdownTable(["goal", "line", "measured", ""], rows);
}

function renderClosed(corpus: string, figures: readonly ClosedFigures[]): string {
  const header = [
    `${corpus} texts`,
    "requests/s",
    "of echo",
    "by CPU time",
    "p50 ms",
    "p99 ms",
    "max ms",
    "server µs/req",
    "generator µs/req",
    "answers",
  ];
  const rows = figures.map((figure) => [
    figure.target,
    formatCount(figure.requestsPerSecond),
    formatPercent(figure.ratioToFirst),
    figure.cpuRatioToFirst === undefined ? "-" : formatPercent(figure.cpuRatioToFirst),
    formatFigure(figure.latency.p50Ms),
    formatFigure(figure.latency.p99Ms),
    formatFigure(figure.latency.maxMs),
    formatFigure(figure.serverMicrosecondsPerRequest),
    formatFigure(figure.generatorMicrosecondsPerRequest),
    renderAnswers(figure.statuses, figure.failedRequests),
  ]);
  return renderMarkdownTable(header, rows);
}

function renderAnswers(statuses: Readonly<Record<string, number>>, failed: number): string {
  const parts = Object.entries(statuses).map(
    ([status, count]) => `${formatCount(count)}×${status}`,
  );
  return [...parts, ...(failed === 0 ? [] : [`${failed} failed`])].join(" ");
}

function renderRaw({ raw, closed }: ServingResult): string {
  const rows = raw.before.map((before, i) => {
    const after = raw.after[i] ?? before;
    const better = before.textsPerSecond >= after.textsPerSecond ? before : after;
    const served = closed
      .find(({ corpus }) => corpus === before.corpus)
      ?.figures.at(-1)?.requestsPerSecond;
    return [
      `${before.corpus}, ${before.batchTexts} at a time`,
      formatCount(before.textsPerSecond),
      formatCount(after.textsPerSecond),
      formatFigure(better.microsecondsPerText),
      formatFigure(better.tokenizeMicroseconds),
      served === undefined ? "-" : formatPercent(served / better.textsPerSecond),
    ];
  });
  const header = ["texts", "texts/s before", "after", "µs/text", "of it tokenizing", "served/raw"];
  return renderMarkdownTable(header, rows);
}

function renderOpen({ open }: ServingResult): string {
  const rows = open.map(({ share, wantedPerSecond, report, shedShare }) => [
    `${formatPercent(share)} of capacity`,
    formatCount(wantedPerSecond),
    formatCount(report.sentPerSecond),
    formatFigure(report.accepted.p50Ms),
    formatFigure(report.accepted.p99Ms),
    formatFigure(report.accepted.p999Ms),
    formatFigure(report.acceptedFromWrite.p50Ms),
    formatPercent(shedShare),
    formatCount(report.missed),
    formatFigure(report.generatorCpuSeconds / (report.durationMs / 1000)),
  ]);
  const header = [
    "rate",
    "due/s",
    "sent/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "p50 from write",
    "shed",
    "missed",
    "generator cores",
  ];
  const table = renderMarkdownTable(header, rows);
  const late = open.some(({ pacing }) => pacing === "sparing");
  return late ? `${table}\n\n${SPARING_NOTE}` : table;
}

const SPARING_NOTE =
  "On so few cores the generator sends what is due once a millisecond rather than polling the clock: latencies hold up to 1 ms of that, those from write do not.";

const STAGES = ["auth", "cache", "tokenize", "queue", "infer", "total", "gateway"] as const;

function renderSingle({ single }: ServingResult): string {
  const rows = single.map(({ target, report }) => [
    target,
    formatFigure(report.accepted.p50Ms),
    formatFigure(report.accepted.p99Ms),
    ...STAGES.map((stage) => formatFigure(report.stages[stage]?.p50Ms)),
    formatFigure(report.stages["gateway"]?.p99Ms),
  ]);
  const header = ["p50, ms", "round trip", "its p99", ...STAGES, "gateway p99"];
  const table = renderMarkdownTable(header, rows);
  return `${table}\n\nStages are the server's own \`Server-Timing\`; \`gateway\` is \`total\` without \`infer\`.`;
}

function renderServers({ servers }: ServingResult): string {
  const rows = servers.map(({ target, atStart, atEnd }) => [
    target,
    formatFigure(atStart?.residentMib),
    formatFigure(atEnd?.residentMib),
    formatFigure(atEnd?.peakResidentMib),
    formatFigure(atEnd?.cpuSeconds),
  ]);
  const header = ["server", "RSS MiB, started", "at the end", "peak", "CPU s"];
  const table = renderMarkdownTable(header, rows);
  const skipped = servers.some(({ atEnd }) => atEnd === undefined);
  return skipped ? `${table}\n\nSkipped: memory and processor time need Linux' /proc.` : table;
}
