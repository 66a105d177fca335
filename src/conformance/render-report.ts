import { LEVELS } from "./case.ts";
import type { CaseResult } from "./run-cases.ts";

const MARKS = { pass: "✓", fail: "✗", unsupported: "–", skipped: "·" } as const;
const COLOURS = { pass: 32, fail: 31, unsupported: 33, skipped: 90 } as const;

export interface ReportHead {
  readonly url: string;
  readonly protocol: string;
  readonly model: string;
}

/** The report for people: a line per case, what was expected where it failed, and a count by level. */
export function renderReport(
  { url, protocol, model }: ReportHead,
  results: readonly CaseResult[],
  isColoured: boolean,
): string {
  const width = Math.max(...results.map(({ title }) => title.length), 10);
  const lines = results.flatMap(({ title, level, verdict }) => {
    const { outcome } = verdict;
    const mark = isColoured
      ? `\u001b[${COLOURS[outcome]}m${MARKS[outcome]}\u001b[0m`
      : MARKS[outcome];
    const note = "note" in verdict && verdict.note !== undefined ? `  ${verdict.note}` : "";
    const line = `  ${mark} ${title.padEnd(width)}  ${level.padEnd(11)}${note}`.trimEnd();
    if (verdict.outcome !== "fail") return [line];
    return [line, `      expected  ${verdict.expected}`, `      found     ${verdict.found}`];
  });
  return [
    `${protocol} at ${url}, model ${model}`,
    "",
    ...lines,
    "",
    ...renderSummary(results),
    "",
  ].join("\n");
}

function renderSummary(results: readonly CaseResult[]): readonly string[] {
  const rows = LEVELS.map((level) => {
    const own = results.filter((result) => result.level === level);
    const count = (outcome: keyof typeof MARKS) =>
      String(own.filter(({ verdict }) => verdict.outcome === outcome).length).padStart(6);
    const counts = (["pass", "fail", "unsupported", "skipped"] as const).map(count).join("  ");
    return `  ${level.padEnd(11)}  ${counts}`;
  });
  return [`  ${"".padEnd(11)}    pass    fail  unsupp  skipped`, ...rows];
}
