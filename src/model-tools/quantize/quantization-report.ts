import type { BatchIndependence } from "./check-batch-independence.ts";
import type { GateMeasurement, PublicationDecision } from "./decide-publication.ts";
import type { SpeedReport } from "./measure-speed.ts";
import type { AnswerKind } from "./model-answers.ts";

/** Value of `schema` in every report of this generation. */
export const REPORT_SCHEMA = "sluice.quantization/v1";

/** A recipe in words that last: what `quantization-report.json` says about it. */
export interface ReportedRecipe {
  readonly method: string;
  readonly smoothing: boolean;
  readonly biasCorrection: boolean;
}

/** Everything that was measured while a model was quantized; written as `quantization-report.json`. */
export interface QuantizationReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly answer: AnswerKind;
  readonly recipe: ReportedRecipe & {
    readonly form: string;
    /** Largest magnitude of a weight's byte: 127, or 64 for processors without VNNI. */
    readonly largestWeight: number;
    readonly embeddings: "int8" | "float32";
    readonly quantizedLayers: number;
    /** Sensitive layers, whose activations have sixteen bits. */
    readonly fineLayers: readonly string[];
    /** Layers that were too sensitive even for that. */
    readonly floatLayers: readonly string[];
  };
  readonly texts: {
    readonly calibration: number;
    /** Used to choose among recipes. */
    readonly selection: number;
    /** True when the same texts served both, because there were few. */
    readonly isSelectionShared: boolean;
  };
  readonly trials: readonly (ReportedRecipe & {
    readonly agreement: number | undefined;
    readonly meanDrift: number;
    readonly maxDrift: number;
  })[];
  readonly gate: readonly GateMeasurement[];
  readonly decision: PublicationDecision & { readonly maxLossPoints: number };
  readonly batchIndependence: {
    readonly float: BatchIndependence;
    readonly quantized: BatchIndependence;
  };
  readonly bytes: { readonly float: number; readonly quantized: number };
  /** `models` names the columns of every list of times. Undefined when nothing was timed. */
  readonly speed: (SpeedReport & { readonly models: readonly string[] }) | undefined;
  readonly host: {
    readonly processor: string;
    readonly onnxRuntime: string;
    readonly threads: number;
  };
  readonly warnings: readonly string[];
}

/** The report for a terminal. */
export function renderQuantizationReport(report: QuantizationReport): string {
  const { recipe, texts, decision } = report;
  const fine =
    recipe.fineLayers.length === 0
      ? ""
      : `, ${recipe.fineLayers.length} of them with 16-bit activations`;
  const kept =
    recipe.floatLayers.length === 0 ? "" : `, ${recipe.floatLayers.length} kept in float`;
  const shared = texts.isSelectionShared ? " (the same)" : "";
  return [
    `${recipe.quantizedLayers} layers in int8${fine}${kept}; embeddings ${recipe.embeddings}; ${describeRecipe(recipe)}; ${recipe.form}`,
    `texts: ${texts.calibration} to calibrate, ${texts.selection} to choose${shared}`,
    "",
    renderTable(
      ["recipe", "agreement", "mean drift", "max drift"],
      report.trials.map((trial) => [
        describeRecipe(trial),
        toShare(trial.agreement),
        trial.meanDrift.toFixed(5),
        trial.maxDrift.toFixed(3),
      ]),
    ),
    "",
    renderTable(
      ["gate", "texts", "accuracy", "balanced", "agreement", "mean drift", "max drift"],
      report.gate.map((measured) => [
        measured.name,
        String(measured.texts),
        toChange(measured.accuracy),
        toChange(measured.balancedAccuracy),
        toShare(measured.agreement),
        measured.meanDrift.toFixed(5),
        measured.maxDrift.toFixed(3),
      ]),
    ),
    "",
    renderCosts(report),
    "",
    ...report.warnings.map((warning) => `Note: ${warning}`),
    decision.reason,
  ].join("\n");
}

function describeRecipe({ method, smoothing, biasCorrection }: ReportedRecipe): string {
  const smoothed = smoothing ? ", smoothed" : "";
  return `${method}${smoothed}${biasCorrection ? ", biases corrected" : ""}`;
}

function renderCosts({ speed, bytes, batchIndependence }: QuantizationReport): string {
  const models = speed?.models ?? ["float32", "int8"];
  const empty = models.slice(2).map(() => "");
  const rows = [
    ["file, MB", toMegabytes(bytes.float), toMegabytes(bytes.quantized), ...empty],
    [
      "texts that a batch changes",
      toIndependence(batchIndependence.float),
      toIndependence(batchIndependence.quantized),
      ...empty,
    ],
  ];
  for (const { batch, length, medianMs } of speed?.shapes ?? []) {
    rows.push([`ms, ${batch} × ${length} ids`, ...toRatios(medianMs, (ms) => ms.toFixed(2), true)]);
  }
  if (speed !== undefined) {
    rows.push(["texts/s", ...toRatios(speed.textsPerSecond, (rate) => rate.toFixed(0), false)]);
  }
  return renderTable(["", ...models], rows);
}

/** Every number but the first with how many times better it is than the first. */
function toRatios(
  numbers: readonly number[],
  format: (number: number) => string,
  isLessBetter: boolean,
): string[] {
  const first = numbers[0] ?? 0;
  return numbers.map((number, i) => {
    if (i === 0) return format(number);
    const ratio = isLessBetter ? first / number : number / first;
    return `${format(number)} (${ratio.toFixed(2)}×)`;
  });
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function toIndependence({ texts, changed, maxDifference }: BatchIndependence): string {
  return changed === 0
    ? `0 of ${texts}`
    : `${changed} of ${texts} (≤ ${maxDifference.toPrecision(2)})`;
}

function toShare(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(2)} %`;
}

function toChange(change: { float: number; quantized: number } | undefined): string {
  if (change === undefined) return "–";
  return `${(100 * change.float).toFixed(2)} → ${(100 * change.quantized).toFixed(2)} %`;
}

/** The first column stands left, all others right. */
function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
