import type { Panel } from "./chart-panel.ts";
import { renderBars, toBarsHeight } from "./render-bars.ts";
import { renderLines } from "./render-lines.ts";
import { escapeText, renderText } from "./svg-elements.ts";

const PANEL_WIDTH = 560;
const LINES_HEIGHT = 300;
const GAP = 24;
/** The title needs as much. */
const LEAST_COLUMNS = 2;
const HEADER = 48;

/** All panels on one page, in rows. */
export function renderChart(
  title: string,
  subtitle: string,
  rows: readonly (readonly Panel[])[],
): string {
  const columns = Math.max(LEAST_COLUMNS, ...rows.map((row) => row.length));
  const width = columns * PANEL_WIDTH + (columns + 1) * GAP;
  let y = HEADER + GAP;
  const parts: string[] = [];
  for (const row of rows) {
    const height = Math.max(...row.map(toHeight));
    for (const [column, panel] of row.entries()) {
      const x = GAP + column * (PANEL_WIDTH + GAP);
      parts.push(`<g transform="translate(${x} ${y})">${renderPanel(panel)}</g>`);
    }
    y += height + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    renderText(title, GAP + 8, 32, { size: 18, isBold: true }),
    renderText(subtitle, GAP + 8, 52, { size: 12, color: "#666" }),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function toHeight(panel: Panel): number {
  return panel.kind === "bars" ? toBarsHeight(panel.bars.length) : LINES_HEIGHT;
}

function renderPanel(panel: Panel): string {
  if (panel.kind === "bars") return renderBars(panel, PANEL_WIDTH);
  return renderLines(panel, PANEL_WIDTH, LINES_HEIGHT);
}
