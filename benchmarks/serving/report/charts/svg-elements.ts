/** Pieces of SVG 1.1 as text. Coordinates are pixels; y grows downwards. */

/** Text in the middle of nowhere: `anchor` says which part of it is at x. */
export function renderText(
  text: string,
  x: number,
  y: number,
  style: {
    readonly anchor?: "start" | "middle" | "end";
    readonly size?: number;
    readonly color?: string;
    readonly isBold?: boolean;
    /** Degrees around (x, y). */
    readonly turn?: number;
  } = {},
): string {
  const { anchor = "start", size = 12, color = "#333", isBold = false, turn } = style;
  const attributes = [
    `x="${place(x)}" y="${place(y)}" font-size="${size}" fill="${color}" text-anchor="${anchor}"`,
    ...(isBold ? ['font-weight="600"'] : []),
    ...(turn === undefined ? [] : [`transform="rotate(${turn} ${place(x)} ${place(y)})"`]),
  ];
  return `<text ${attributes.join(" ")}>${escapeText(text)}</text>`;
}

export function renderLine(
  points: readonly { readonly x: number; readonly y: number }[],
  color: string,
  { width = 1, isDashed = false }: { readonly width?: number; readonly isDashed?: boolean } = {},
): string {
  const places = points.map(({ x, y }) => `${place(x)},${place(y)}`).join(" ");
  const dashes = isDashed ? ' stroke-dasharray="5 4"' : "";
  return `<polyline points="${places}" fill="none" stroke="${color}" stroke-width="${width}"${dashes}/>`;
}

export function renderRectangle(
  { x, y, width, height }: Readonly<Record<"x" | "y" | "width" | "height", number>>,
  color: string,
): string {
  return `<rect x="${place(x)}" y="${place(y)}" width="${place(width)}" height="${place(height)}" fill="${color}"/>`;
}

export function renderDot(x: number, y: number, color: string): string {
  return `<circle cx="${place(x)}" cy="${place(y)}" r="3" fill="${color}"/>`;
}

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Tenths of a pixel are enough and keep files small. */
function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}
