import { toMultiplyAdds } from "./estimate-cost.ts";
import type { ModelInspection, ValueDescription } from "./inspect-model.ts";
import type { RunTime } from "./measure-model.ts";

/** Lengths of texts that the cost is given for, in tokens. */
export const COST_LENGTHS = [16, 64, 128, 256] as const;

/** An inspection as text for a terminal. `times` are those of a measurement, if there was one. */
export function renderInspection(
  inspection: ModelInspection,
  times: readonly RunTime[] | undefined,
): string {
  const sections = [
    renderHead(inspection),
    renderSection("Inputs", inspection.inputs.map(toValueRow)),
    renderSection("Outputs", inspection.outputs.map(toValueRow)),
    renderWeights(inspection),
    renderLargest(inspection),
    renderOperators(inspection),
    renderCost(inspection, times),
    renderFindings(inspection),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function renderHead({ path, bytes, producer, irVersion, opsets, metadata }: ModelInspection) {
  const by = producer === "" ? "" : `, written by ${producer}`;
  const sets = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  const rows = Object.entries(metadata).map(([key, value]) => [key, shorten(value)]);
  return [
    `${path}  ${toSize(bytes)}${by}`,
    `Operators of ${sets.join(", ") || "no set"}; IR version ${irVersion}`,
    ...(rows.length === 0 ? [] : [indent(alignColumns(rows, ""))]),
  ].join("\n");
}

const LONGEST_VALUE = 80;

function shorten(value: string): string {
  const line = value.replace(/\s+/g, " ");
  return line.length <= LONGEST_VALUE ? line : `${line.slice(0, LONGEST_VALUE - 1)}…`;
}

function toValueRow({ name, type, shape }: ValueDescription): string[] {
  return [name, type, shape === undefined ? "" : `[${shape.join(", ")}]`];
}

function renderWeights({ weights, externalFiles }: ModelInspection): string {
  const values = weights.reduce((sum, group) => sum + group.values, 0);
  const bytes = weights.reduce((sum, group) => sum + group.bytes, 0);
  const rows = weights.map((group) => [
    group.type,
    `${group.tensors} tensors`,
    `${toCount(group.values)} values`,
    toSize(group.bytes),
  ]);
  const external = externalFiles.map(
    (file) => `  of these ${toSize(file.bytes)} in ${file.location} (${file.tensors} tensors)`,
  );
  const title = `Weights: ${toCount(values)} values, ${toSize(bytes)}`;
  return [renderSection(title, rows, "<>>>"), ...external].join("\n");
}

function renderLargest({ largestTensors, weights }: ModelInspection): string {
  const total = weights.reduce((sum, group) => sum + group.bytes, 0);
  const rows = largestTensors.map(({ name, type, shape, bytes }) => [
    name,
    type,
    `[${shape.join(", ")}]`,
    toSize(bytes),
    `${((100 * bytes) / Math.max(total, 1)).toFixed(1)} %`,
  ]);
  return renderSection("Largest tensors", rows, "<<<>>");
}

/** As many operators on a line as fit a usual terminal. */
const LINE_WIDTH = 96;

function renderOperators({ operators }: ModelInspection): string {
  const nodes = Object.values(operators).reduce((sum, count) => sum + count, 0);
  const lines: string[] = [];
  for (const [operator, count] of Object.entries(operators)) {
    const last = lines.at(-1);
    const word = `${operator} ${count}`;
    if (last === undefined || last.length + word.length + 2 > LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last}, ${word}`;
  }
  return [`Nodes: ${nodes}`, indent(lines.join("\n"))].join("\n");
}

/** In a smaller model, other work takes the time, and the rate would say nothing. */
const LEAST_RATED = 1_000_000;

function renderCost({ cost }: ModelInspection, times: readonly RunTime[] | undefined): string {
  if (cost === undefined) return "";
  const rows = COST_LENGTHS.map((tokens) => {
    const { weights, attention } = toMultiplyAdds(cost, tokens);
    const total = weights + attention;
    const row = [tokens.toString(), toCount(weights), toCount(attention), toCount(total)];
    const time = times?.find((each) => each.tokens === tokens);
    if (time === undefined) return row;
    const { bestMs, medianMs } = time;
    if (bestMs === undefined || medianMs === undefined) return [...row, "refused", "", ""];
    const rate = total < LEAST_RATED ? "" : `${(total / bestMs / 1e6).toFixed(1)} G/s`;
    return [...row, `${toMs(bestMs)} ms`, `${toMs(medianMs)} ms`, rate];
  });
  const header = ["tokens", "weights", "attention", "together"];
  if (times !== undefined) header.push("best", "median", "rate");
  const title =
    times === undefined
      ? "Cost of one text: multiplications with addition, estimated from the weights' sizes"
      : "Cost of one text: multiplications with addition (estimated), and time on one thread of this machine";
  return renderSection(title, [header, ...rows], ">>>>>>>");
}

function renderFindings({ findings }: ModelInspection): string {
  if (findings.length === 0) return "Checks: nothing is wrong";
  const rows = findings.map(
    ({ severity, subject, problem }) => `${severity}: ${subject}: ${problem}`,
  );
  return [`Checks: ${findings.length} findings`, indent(rows.join("\n"))].join("\n");
}

/** @param sides one character per column: `<` or `>`, where its cells stand; missing ones are `<`. */
function renderSection(title: string, rows: readonly (readonly string[])[], sides = ""): string {
  return rows.length === 0 ? `${title}: none` : `${title}\n${indent(alignColumns(rows, sides))}`;
}

function alignColumns(rows: readonly (readonly string[])[], sides: string): string {
  const widths = rows.reduce<number[]>((widest, row) => {
    for (const [i, cell] of row.entries()) widest[i] = Math.max(widest[i] ?? 0, cell.length);
    return widest;
  }, []);
  const align = (cell: string, i: number) =>
    sides[i] === ">" ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** `90.9 MB`: bytes in decimal units. */
function toSize(bytes: number): string {
  return `${scale(bytes, ["", "k", "M", "G", "T"])}B`;
}

/** `22.7 M`. */
function toCount(count: number): string {
  return scale(count, ["", "k", "M", "G", "T"]).trimEnd();
}

function scale(value: number, prefixes: readonly string[]): string {
  let left = value;
  let step = 0;
  // 999.95 would be shown as 1000.0.
  while (left >= 999.95 && step < prefixes.length - 1) {
    left /= 1000;
    step++;
  }
  return `${step === 0 ? left : left.toFixed(1)} ${prefixes[step] ?? ""}`;
}

function toMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : 1);
}
