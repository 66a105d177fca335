import { formatFigure, formatPercent } from "../report/markdown-table.ts";
import type { Goal, ServingResult } from "./serving-result.ts";
import { TARGETS } from "./serving-result.ts";

/** Share of the bare Fastify echo that `/classify` must reach. */
const LEAST_SHARE_OF_ECHO = 0.6;
/** Time that everything around the model may take at one connection, at the median. */
const MOST_GATEWAY_MS = 0.5;

/** Holds a result against the lines that the design sets. Both are held without the help of the cache. */
export function judgeGoals({ closed, single }: Pick<ServingResult, "closed" | "single">): Goal[] {
  const shares = closed.map(({ corpus, figures }): Goal => {
    const figure = figures.find(({ target }) => target === TARGETS.uncached);
    const share = figure?.ratioToFirst ?? 0;
    const byCpu = figure?.cpuRatioToFirst;
    return {
      name: `/classify against echo, cache off, ${corpus} texts`,
      goal: `≥ ${formatPercent(LEAST_SHARE_OF_ECHO)}`,
      measured: `${formatPercent(share)}${byCpu === undefined ? "" : `, by CPU time ${formatPercent(byCpu)}`}`,
      met: share >= LEAST_SHARE_OF_ECHO,
    };
  });
  const alone = single.find(({ target }) => target === TARGETS.uncached)?.report;
  const gatewayMs = alone?.stages["gateway"]?.p50Ms ?? Number.NaN;
  return [
    ...shares,
    {
      name: "gateway time at one connection, p50",
      goal: `≤ ${MOST_GATEWAY_MS} ms`,
      measured: `${formatFigure(gatewayMs)} ms`,
      met: gatewayMs <= MOST_GATEWAY_MS,
    },
  ];
}
