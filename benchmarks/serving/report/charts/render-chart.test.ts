import { expect, test } from "vitest";
import { renderChart } from "./render-chart.ts";

const LINES = {
  kind: "lines",
  title: "latency",
  xLabel: "requests/s",
  yLabel: "ms",
  isLogarithmic: true,
  series: [
    {
      name: "p99",
      color: "#000",
      points: [
        { x: 100, y: 10 },
        { x: 200, y: undefined },
        { x: 300, y: 1000 },
      ],
    },
  ],
  limit: { y: 100, name: "SLO" },
} as const;

test("a figure that is missing leaves a gap and breaks nothing", () => {
  const svg = renderChart("t", "s", [[LINES]]);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg.match(/<circle/g)).toHaveLength(2);
});

test("a smaller latency is drawn further down", () => {
  const svg = renderChart("t", "s", [[LINES]]);
  const [low, high] = [...svg.matchAll(/<circle[^>]* cy="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(low).toBeGreaterThan(high ?? Number.NaN);
});

test("bars are as long as their values are large, and names are escaped", () => {
  const bars = [
    { name: "a < b", value: 50, color: "#000" },
    { name: "c", value: 100, color: "#000" },
  ];
  const svg = renderChart("t", "s", [[{ kind: "bars", title: "x", unit: "texts/s", bars }]]);
  const [a = 0, c = 0] = [...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g)].map(
    ([, width]) => Number(width),
  );
  expect(c / a).toBeCloseTo(2, 1);
  expect(svg).toContain("a &lt; b");
});

test("panels without any figure still make a page", () => {
  const empty = { ...LINES, series: [], limit: undefined };
  const { limit: _, ...panel } = empty;
  const svg = renderChart("t", "s", [[panel, { kind: "bars", title: "", unit: "", bars: [] }]]);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
