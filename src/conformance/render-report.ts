import type { Verdict } from "./case.ts";
import { LEVELS } from "./case.ts";
import type { CaseReport } from "./run-cases.ts";

/** All that is known about one run. */
export interface ConformanceReport {
  readonly protocol: string;
  readonly url: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly cases: readonly CaseReport[];
}

const SIGNS: Readonly<Record<Verdict["outcome"], string>> = {
  pass: "✓",
  fail: "✗",
  unsupported: "–",
  skipped: "·",
};

/**
 * A page for people: a line per case, what was found under those that failed, and counts by level. Names and excerpts
 * come from the server, so characters that steer a terminal or turn the direction of writing become spaces.
 */
export function renderReport(report: ConformanceReport): string {
  const { protocol, url, model, modelVersion } = report;
  const asked = model === undefined ? "" : `, model ${model}`;
  const version = modelVersion === undefined ? "" : ` version ${modelVersion}`;
  const width = Math.max(0, ...report.cases.map(({ id }) => id.length));
  return [
    `${protocol} at ${url}${asked}${version}`,
    "",
    ...report.cases.flatMap((one) => renderCase(one, width)),
    "",
    ...renderSummary(report.cases),
    "",
  ]
    .map((line) => line.replace(/\p{C}/gu, " "))
    .join("\n");
}

function renderCase({ id, title, source, level, verdict }: CaseReport, width: number): string[] {
  const mark = level === "required" ? "" : ` (${level})`;
  const line = `${SIGNS[verdict.outcome]} ${id.padEnd(width)}  ${title}${mark}`;
  const indent = " ".repeat(width + 4);
  switch (verdict.outcome) {
    case "pass":
      return verdict.note === undefined ? [line] : [line, `${indent}${verdict.note}`];
    case "fail":
      return [
        line,
        `${indent}expected: ${verdict.expected}`,
        `${indent}found:    ${verdict.found}`,
        `${indent}source:   ${source}`,
      ];
    case "unsupported":
      return [line, `${indent}not there: ${verdict.note}`];
    case "skipped":
      return [line, `${indent}not asked: ${verdict.reason}`];
  }
}

function renderSummary(cases: readonly CaseReport[]): string[] {
  return LEVELS.flatMap((level) => {
    const own = cases.filter((one) => one.level === level);
    if (own.length === 0) return [];
    const count = (outcome: Verdict["outcome"]) =>
      own.filter(({ verdict }) => verdict.outcome === outcome).length;
    return [
      `${level.padEnd(12)} ✓ ${count("pass")}  ✗ ${count("fail")}  – ${count("unsupported")}  · ${count("skipped")}`,
    ];
  });
}

/** The same for programs: the report as it is, with counts by level and outcome. */
export function renderReportJson(report: ConformanceReport): string {
  const summary = Object.fromEntries(
    LEVELS.map((level) => [
      level,
      Object.fromEntries(
        (Object.keys(SIGNS) as Verdict["outcome"][]).map((outcome) => [
          outcome,
          report.cases.filter((one) => one.level === level && one.verdict.outcome === outcome)
            .length,
        ]),
      ),
    ]),
  );
  return `${JSON.stringify({ ...report, summary }, null, 2)}\n`;
}
