/** A line through points; gaps are left where y is undefined. */
export interface Series {
  readonly name: string;
  readonly color: string;
  readonly isDashed?: boolean;
  readonly points: readonly { readonly x: number; readonly y: number | undefined }[];
}

/** Lines over a common x. */
export interface LinePanel {
  readonly kind: "lines";
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly isLogarithmic: boolean;
  readonly series: readonly Series[];
  /** A horizontal line that is spoken of. */
  readonly limit?: { readonly y: number; readonly name: string };
}

/** Horizontal bars, each with its figure. */
export interface BarPanel {
  readonly kind: "bars";
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly {
    readonly name: string;
    readonly value: number;
    readonly color: string;
  }[];
}

export type Panel = LinePanel | BarPanel;

/** Colours that people with colour-blindness tell apart (Okabe and Ito). */
export const COLORS = {
  blue: "#0072b2",
  orange: "#d55e00",
  green: "#009e73",
  yellow: "#e69f00",
  purple: "#cc79a7",
  grey: "#7f8c8d",
} as const;
