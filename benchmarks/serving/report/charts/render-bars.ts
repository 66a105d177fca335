import { formatFigure } from "../markdown-table.ts";
import type { BarPanel } from "./chart-panel.ts";
import { renderRectangle, renderText } from "./svg-elements.ts";

const TOP = 36;
const BAR = 18;
const GAP = 8;
const NAMES_SHARE = 0.46;
/** Room for the figure behind the longest bar. */
const FIGURE = 64;

/** Pixels that a panel with so many bars needs. */
export function toBarsHeight(bars: number): number {
  return TOP + bars * (BAR + GAP) + 10;
}

/** Bars from the left, names in front, figures behind. */
export function renderBars({ title, unit, bars }: BarPanel, width: number): string {
  const names = width * NAMES_SHARE;
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ name, value, color }, i) => {
    const y = TOP + i * (BAR + GAP);
    const length = (value / most) * (width - names - FIGURE);
    return [
      renderText(name, names - 8, y + 13, { anchor: "end", size: 11 }),
      renderRectangle({ x: names, y, width: Math.max(length, 1), height: BAR }, color),
      renderText(formatFigure(value), names + length + 6, y + 13, { size: 11 }),
    ].join("");
  });
  const heading = renderText(`${title}, ${unit}`, 8, 18, { size: 14, isBold: true });
  return [heading, ...rows].join("");
}
