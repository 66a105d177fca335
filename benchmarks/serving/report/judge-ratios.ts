import { toShedShare } from "../load/measure-phase.ts";
import type { LoadFigures } from "../parts/measure-load.ts";
import type { PeerRun } from "../peers/measure-peers.ts";
import { describeSetting, toMixedRate } from "../peers/measure-peers.ts";
import type { Measured, Ratio } from "./benchmark-result.ts";
import { formatFigure, formatPercent } from "./markdown-table.ts";

/** End to end against the raw limit, by connections, with the generator on the same cores. */
const LEAST_SHARE_OF_RAW = [
  [64, 0.85],
  [8, 0.7],
  [256, 0.9],
] as const;
const LEAST_POLICY_GAIN = { short: 2.5, mixed: 8 } as const;
const LEAST_INT8_GAIN = 2.5;
const LEAST_PEER_GAIN = { fp32: 3, int8: 8 } as const;
const LEAST_SHARE_WITHOUT_INFERENCE = 0.65;
const MOST_TAIL_GROWTH = 1.5;
const OVERLOAD = { light: 0.8, heavy: 3 } as const;
/** At three times the capacity two of three requests must be refused; if far fewer are, the capacity was measured wrong. */
const LEAST_SHED = 0.4;
const MOST_COLD_START_MS = 500;
const MOST_COLD_START_MB = 250;

const CORPORA = ["short", "mixed"] as const;
const BYTES_PER_MIB = 2 ** 20;

/** Holds a run against the lines that the design sets. A part that was left out leaves its lines open. */
export function judgeRatios(measured: Measured): Ratio[] {
  return [
    ...judgeShareOfRaw(measured),
    ...judgePolicies(measured),
    ...judgeInt8(measured),
    ...judgePeers(measured),
    ...judgeGateway(measured),
    ...judgeOverload(measured),
    ...judgeColdStart(measured),
    ...judgeIndependence(measured),
  ];
}

function judgeShareOfRaw({ load }: Measured): Ratio[] {
  const int8 = load?.find(({ precision }) => precision === "int8");
  return LEAST_SHARE_OF_RAW.flatMap(([connections, least]) =>
    CORPORA.map((corpus) => {
      const closed = int8?.closed.find(
        (one) => one.corpus === corpus && one.connections === connections,
      );
      const raw = int8 && toRawLimit(int8, corpus);
      const name = `end to end / raw limit, INT8, ${corpus} texts, ${connections} connections`;
      if (closed === undefined || raw === undefined)
        return judgeLeast(name, least, undefined, formatPercent);
      const share = closed.correctedPerSecond / raw;
      const note = ` (${formatFigure(closed.textsPerSecond)} of ${formatFigure(raw)} texts/s)`;
      return judgeLeast(name, least, share, formatPercent, note);
    }),
  );
}

function judgePolicies({ model }: Measured): Ratio[] {
  return CORPORA.map((corpus) => {
    const found = model?.policies.find((one) => one.corpus === corpus);
    const gain = found && found.policy.textsPerSecond / found.fifo.textsPerSecond;
    const name = `batch policy / batches of 32 in order of arrival, INT8, ${corpus} texts`;
    return judgeLeast(name, LEAST_POLICY_GAIN[corpus], gain, formatTimes);
  });
}

function judgeInt8({ load }: Measured): Ratio[] {
  return CORPORA.map((corpus) => {
    const [int8, fp32] = (["int8", "fp32"] as const).map((precision) => {
      const figures = load?.find((one) => one.precision === precision);
      return figures && toRawLimit(figures, corpus);
    });
    const gain = int8 === undefined || fp32 === undefined ? undefined : int8 / fp32;
    return judgeLeast(
      `INT8 / FP32, best batches, ${corpus} texts`,
      LEAST_INT8_GAIN,
      gain,
      formatTimes,
    );
  });
}

function judgePeers({ peers }: Measured): Ratio[] {
  const runs = peers?.runs ?? [];
  const choices = [
    ["with batching as its guide has it", runs.filter(({ setting }) => setting.maxBatch > 1)],
    ["in its best setting", runs],
  ] as const;
  return choices.flatMap(([which, some]) => {
    const best = toBest(some);
    const note = best === undefined ? "" : ` (${best.peer}: ${describeSetting(best.setting)})`;
    return (["fp32", "int8"] as const).map((precision) => {
      const own = peers?.own.find((one) => one.precision === precision);
      const gain =
        own === undefined || best === undefined ? undefined : toMixedRate(own) / toMixedRate(best);
      const name = `${precision.toUpperCase()} / best peer in FP32, ${which}, mixed texts`;
      return judgeLeast(name, LEAST_PEER_GAIN[precision], gain, formatTimes, note);
    });
  });
}

function judgeGateway({ gateway }: Measured): Ratio[] {
  return CORPORA.map((corpus) => {
    const found = gateway?.find((one) => one.corpus === corpus);
    const byCpu = found?.withModel.cpuRatioToFirst;
    return judgeLeast(
      `n-gram model / the same server without inference, one process, ${corpus} texts`,
      LEAST_SHARE_WITHOUT_INFERENCE,
      found?.withModel.ratioToFirst,
      formatPercent,
      byCpu === undefined ? "" : ` (by CPU time ${formatPercent(byCpu)})`,
    );
  });
}

function judgeOverload({ load }: Measured): Ratio[] {
  const int8 = load?.find(({ precision }) => precision === "int8");
  return CORPORA.map((corpus) => {
    const loads = int8?.open.find((one) => one.corpus === corpus)?.loads;
    const reportAt = (share: number) => loads?.find((one) => one.share === share)?.phase.report;
    const light = reportAt(OVERLOAD.light);
    const heavy = reportAt(OVERLOAD.heavy);
    const name = `p99 of accepted requests at ${OVERLOAD.heavy} × / at ${OVERLOAD.light} × capacity, INT8, ${corpus} texts`;
    const open = judgeMost(name, MOST_TAIL_GROWTH, undefined, formatTimes);
    if (light === undefined || heavy === undefined) return open;
    const shed = toShedShare(heavy);
    if (shed < LEAST_SHED)
      return { ...open, measured: `no overload: ${formatPercent(shed)} refused` };
    const [lightMs, heavyMs] = [light.accepted.p99Ms, heavy.accepted.p99Ms];
    const note = ` (${formatFigure(heavyMs)} / ${formatFigure(lightMs)} ms, ${formatPercent(shed)} refused)`;
    return judgeMost(name, MOST_TAIL_GROWTH, heavyMs / lightMs, formatTimes, note);
  });
}

function judgeColdStart({ coldStart }: Measured): Ratio[] {
  const { firstAnswerMs, residentMib } = coldStart ?? {};
  const megabytes = residentMib === undefined ? undefined : (residentMib * BYTES_PER_MIB) / 1e6;
  return [
    judgeMost(
      "process start to first answer, INT8",
      MOST_COLD_START_MS,
      firstAnswerMs,
      (ms) => `${formatFigure(ms)} ms`,
    ),
    judgeMost(
      "resident memory then",
      MOST_COLD_START_MB,
      megabytes,
      (mb) => `${formatFigure(mb)} MB`,
    ),
  ];
}

function judgeIndependence({ model }: Measured): Ratio[] {
  return (["fp32", "int8"] as const).map((precision) => {
    const found = model?.independence[precision];
    const name = `texts whose logits differ in a bit alone and in batches, ${precision.toUpperCase()}`;
    const note = found === undefined ? "" : ` of ${found.texts}`;
    return judgeMost(name, 0, found?.changed, String, note);
  });
}

/** The better of before and after: what disturbed one of them did not disturb the model. */
export function toRawLimit({ raw }: LoadFigures, corpus: string): number | undefined {
  const rates = [...raw.before, ...raw.after]
    .filter((limit) => limit.corpus === corpus)
    .map(({ textsPerSecond }) => textsPerSecond);
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function toBest(runs: readonly PeerRun[]): PeerRun | undefined {
  return runs.reduce<PeerRun | undefined>(
    (best, run) => (best === undefined || toMixedRate(run) > toMixedRate(best) ? run : best),
    undefined,
  );
}

type Format = (value: number) => string;

function judgeLeast(
  name: string,
  least: number,
  value: number | undefined,
  format: Format,
  note = "",
): Ratio {
  return judge(name, `≥ ${format(least)}`, value, (found) => found >= least, format, note);
}

function judgeMost(
  name: string,
  most: number,
  value: number | undefined,
  format: Format,
  note = "",
): Ratio {
  return judge(name, `≤ ${format(most)}`, value, (found) => found <= most, format, note);
}

function judge(
  name: string,
  goal: string,
  value: number | undefined,
  isMet: (value: number) => boolean,
  format: Format,
  note: string,
): Ratio {
  if (value === undefined || Number.isNaN(value))
    return { name, goal, measured: "-", verdict: "not measured" };
  return {
    name,
    goal,
    measured: `${format(value)}${note}`,
    verdict: isMet(value) ? "met" : "MISSED",
  };
}

function formatTimes(value: number): string {
  return `${formatFigure(value)} ×`;
}
