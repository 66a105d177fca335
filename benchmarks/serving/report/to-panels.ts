import type { LoadFigures, OpenSeries } from "../parts/measure-load.ts";
import type { PeerFigures, PeerRun } from "../peers/measure-peers.ts";
import { toMixedRate } from "../peers/measure-peers.ts";
import type { Measured } from "./benchmark-result.ts";
import type { Panel } from "./charts/chart-panel.ts";
import { COLORS } from "./charts/chart-panel.ts";
import { toRawLimit } from "./judge-ratios.ts";

const CORPORA = ["short", "mixed"] as const;

/** What is drawn of a run: texts/s beside the raw limit, latencies and goodput by arrival rate, and the peers. */
export function toPanels({ load = [], peers }: Measured): readonly (readonly Panel[])[] {
  const rows: Panel[][] = [];
  if (load.length > 0) rows.push(CORPORA.map((corpus) => toBars(load, corpus)));
  const open = load.flatMap((figures) => figures.open);
  if (open.length > 0) {
    rows.push(open.map(toLatencyPanel), open.map(toGoodputPanel));
  }
  if (peers !== undefined && peers.own.length > 0) rows.push([toPeerBars(peers)]);
  return rows;
}

function toBars(load: readonly LoadFigures[], corpus: string): Panel {
  const bars = load.flatMap((figures) => {
    const { precision, closed } = figures;
    const title = precision.toUpperCase();
    const color = precision === "int8" ? COLORS.blue : COLORS.green;
    const raw = {
      name: `${title} raw limit`,
      value: toRawLimit(figures, corpus) ?? 0,
      color: COLORS.grey,
    };
    const served = closed
      .filter((one) => one.corpus === corpus)
      .map(({ connections, textsPerSecond }) => ({
        name: `${title}, ${connections} ${connections === 1 ? "connection" : "connections"}`,
        value: textsPerSecond,
        color,
      }));
    return [raw, ...served];
  });
  return { kind: "bars", title: `Closed loop, ${corpus} texts`, unit: "texts/s", bars };
}

function toLatencyPanel({ corpus, sloMs, loads }: OpenSeries): Panel {
  const toSeries = (name: string, color: string, key: "p50Ms" | "p95Ms" | "p99Ms") => ({
    name,
    color,
    points: loads.map(({ duePerSecond, phase }) => {
      const { accepted } = phase.report;
      return { x: duePerSecond, y: accepted.count === 0 ? undefined : accepted[key] };
    }),
  });
  return {
    kind: "lines",
    title: `Latency of accepted requests, INT8, ${corpus} texts`,
    xLabel: "requests due per second",
    yLabel: "ms",
    isLogarithmic: true,
    series: [
      toSeries("p50", COLORS.blue, "p50Ms"),
      toSeries("p95", COLORS.yellow, "p95Ms"),
      toSeries("p99", COLORS.orange, "p99Ms"),
    ],
    limit: { y: sloMs, name: `SLO ${sloMs} ms` },
  };
}

function toGoodputPanel({ corpus, sloMs, loads }: OpenSeries): Panel {
  const reports = loads.map(({ duePerSecond, phase }) => ({ x: duePerSecond, ...phase.report }));
  return {
    kind: "lines",
    title: `Answers, INT8, ${corpus} texts`,
    xLabel: "requests due per second",
    yLabel: "per second",
    isLogarithmic: false,
    series: [
      {
        name: "due",
        color: COLORS.grey,
        isDashed: true,
        points: reports.map(({ x }) => ({ x, y: x })),
      },
      {
        name: "accepted",
        color: COLORS.blue,
        points: reports.map(({ x, acceptedPerSecond }) => ({ x, y: acceptedPerSecond })),
      },
      {
        name: `within ${sloMs} ms`,
        color: COLORS.green,
        points: reports.map(({ x, goodPerSecond }) => ({ x, y: goodPerSecond })),
      },
      {
        name: "refused with 429",
        color: COLORS.orange,
        points: reports.map(({ x, rejected, durationMs }) => ({
          x,
          y: (rejected.count / durationMs) * 1000,
        })),
      },
    ],
  };
}

function toPeerBars({ own, runs }: PeerFigures): Panel {
  return {
    kind: "bars",
    title: "Others, mixed texts, 64 connections",
    unit: "texts/s",
    bars: [
      ...own.map((run) => ({
        name: `Sluice, ${run.precision.toUpperCase()}`,
        value: toMixedRate(run),
        color: COLORS.blue,
      })),
      ...runs.map((run) => ({
        name: toShortName(run),
        value: toMixedRate(run),
        color: run.setting.maxBatch === 1 ? COLORS.purple : COLORS.yellow,
      })),
    ],
  };
}

/** There is little room beside a bar. */
function toShortName({ peer, setting }: PeerRun): string {
  const { workers, threads, maxBatch } = setting;
  const batching = maxBatch === 1 ? "no batching" : `batch ${maxBatch}`;
  return `${peer.replace(/ \(.*\)/, "")}, ${workers} × ${threads}, ${batching}`;
}
