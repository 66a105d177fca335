import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { BenchmarkResult } from "./benchmark-result.ts";
import { renderChart } from "./charts/render-chart.ts";
import { renderPeersPage } from "./render-peers-page.ts";
import { renderReport } from "./render-report.ts";
import { toPanels } from "./to-panels.ts";

/**
 * Prints the report, and writes it as Markdown, JSON and SVG, with a page about the peers when they were measured.
 *
 * @param directory `undefined` writes nothing
 */
export function publishResult(result: BenchmarkResult, directory: string | undefined): void {
  const panels = toPanels(result);
  const file = directory === undefined ? undefined : toFreeName(directory, result);
  const chart = panels.length === 0 || file === undefined ? undefined : `${file}.svg`;
  const page = renderReport(result, chart && basename(chart));
  const peersPage = result.peers === undefined ? undefined : renderPeersPage(result, result.peers);
  console.log(`\n${[page, peersPage].filter(Boolean).join("\n\n")}\n`);
  if (directory === undefined || file === undefined) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify(result, roundNumbers, 2)}\n`);
  writeFileSync(`${file}.md`, `${page}\n`);
  if (peersPage !== undefined) writeFileSync(`${file}-peers.md`, `${peersPage}\n`);
  if (chart !== undefined) writeFileSync(chart, renderChart(...toTitles(result), panels));
  console.log(`Written: ${file}.*`);
}

/** Runs of the same day get letters, so that none is lost. */
function toFreeName(directory: string, { date, quick }: BenchmarkResult): string {
  const name = join(directory, `${date}-serving${quick ? "-quick" : ""}`);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => `${name}-${letter}`);
  return letters.find((file) => !existsSync(`${file}.json`)) ?? `${name}-${Date.now()}`;
}

function toTitles({ date, machine, textSource }: BenchmarkResult): [string, string] {
  const { cpu, cores, node } = machine;
  const texts = textSource === "synthetic" ? "made-up texts" : "texts of public data sets";
  const title = `Sluice, transformer of the shape of MiniLM-L6, ${date}`;
  return [title, `${cpu}, ${cores} cores, Node ${node}, ${texts}`];
}

/** Digits that mean nothing make files hard to compare. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
