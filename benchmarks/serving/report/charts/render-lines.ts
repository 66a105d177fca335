import { toLinearTicks, toLogarithmicTicks } from "./axis-ticks.ts";
import type { LinePanel, Series } from "./chart-panel.ts";
import { renderDot, renderLine, renderText } from "./svg-elements.ts";

const MARGIN = { left: 62, right: 14, top: 52, bottom: 46 } as const;
const GRID = "#e3e3e3";
const TICKS = 5;
const LEGEND_GAP = 20;
/** About as wide as a letter of the legend. */
const LETTER = 6.4;

/** Lines over a grid, with their names above. */
export function renderLines(panel: LinePanel, width: number, height: number): string {
  const { series, isLogarithmic, limit } = panel;
  const points = series.flatMap((one) => one.points);
  const ys = [
    ...points.flatMap(({ y }) => (y === undefined ? [] : [y])),
    ...(limit ? [limit.y] : []),
  ];
  const xTicks = toLinearTicks(Math.max(0, ...points.map(({ x }) => x)), TICKS);
  const positive = ys.filter((y) => y > 0);
  const yTicks = isLogarithmic
    ? toLogarithmicTicks(Math.min(...positive, 1000), Math.max(...positive, 1))
    : toLinearTicks(Math.max(0, ...ys), TICKS);
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const toX = toScale(xTicks, MARGIN.left, right, (x) => x);
  const toY = toScale(yTicks, bottom, MARGIN.top, isLogarithmic ? Math.log : (y) => y);
  const grid = [
    ...yTicks.flatMap((tick) => [
      renderLine(
        [
          { x: MARGIN.left, y: toY(tick) },
          { x: right, y: toY(tick) },
        ],
        GRID,
      ),
      renderText(formatTick(tick), MARGIN.left - 6, toY(tick) + 4, { anchor: "end", size: 11 }),
    ]),
    ...xTicks.map((tick) =>
      renderText(formatTick(tick), toX(tick), bottom + 16, { anchor: "middle", size: 11 }),
    ),
  ];
  const middle = (MARGIN.top + bottom) / 2;
  return [
    renderText(panel.title, 8, 18, { size: 14, isBold: true }),
    renderLegend(series),
    ...grid,
    renderText(panel.xLabel, (MARGIN.left + right) / 2, height - 10, { anchor: "middle" }),
    renderText(panel.yLabel, 14, middle, { anchor: "middle", turn: -90 }),
    ...(limit === undefined
      ? []
      : [
          renderLine(
            [
              { x: MARGIN.left, y: toY(limit.y) },
              { x: right, y: toY(limit.y) },
            ],
            "#333",
            {
              isDashed: true,
            },
          ),
          renderText(limit.name, right - 4, toY(limit.y) - 5, { anchor: "end", size: 11 }),
        ]),
    ...series.map((one) => renderSeries(one, toX, toY)),
  ].join("");
}

type Scale = (value: number) => number;

function toScale(ticks: readonly number[], from: number, to: number, shape: Scale): Scale {
  const low = shape(ticks[0] ?? 0);
  const high = shape(ticks.at(-1) ?? 1);
  const span = high === low ? 1 : high - low;
  return (value) => from + ((shape(value) - low) / span) * (to - from);
}

function renderSeries({ points, color, isDashed = false }: Series, toX: Scale, toY: Scale): string {
  const places = points.flatMap(({ x, y }) => (y === undefined ? [] : [{ x: toX(x), y: toY(y) }]));
  const dots = isDashed ? [] : places.map(({ x, y }) => renderDot(x, y, color));
  return [renderLine(places, color, { width: 2, isDashed }), ...dots].join("");
}

function renderLegend(series: readonly Series[]): string {
  let x: number = MARGIN.left;
  return series
    .map(({ name, color, isDashed = false }) => {
      const sample = [
        { x, y: 34 },
        { x: x + 18, y: 34 },
      ];
      const entry = [
        renderLine(sample, color, { width: 3, isDashed }),
        renderText(name, x + 23, 38, { size: 11 }),
      ];
      x += 23 + name.length * LETTER + LEGEND_GAP;
      return entry.join("");
    })
    .join("");
}

function formatTick(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
