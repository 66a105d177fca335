/** How the values of several processes become one. Counters and histograms always add up; gauges mostly do. */
type Merge = (a: number, b: number) => number;

const add: Merge = (a, b) => a + b;

/** Gauges whose sum would mean nothing. */
const GAUGE_MERGES: readonly (readonly [RegExp, Merge])[] = [
  // A version is loaded when every process can answer with it.
  [/^ai_model_loaded$/, Math.min],
  [/lag|utilization|start_time|version_info|max_fds/, Math.max],
];

interface MetricFamily {
  /** `# HELP` and `# TYPE`. */
  readonly comments: string[];
  readonly merge: Merge;
  /** Value by name and labels. */
  readonly samples: Map<string, number>;
}

/**
 * One page of metrics out of those of several processes that do the same work. Pure.
 * Format: Prometheus text exposition format 0.0.4.
 */
export function mergeMetrics(pages: readonly string[]): string {
  const families = new Map<string, MetricFamily>();
  for (const page of pages) mergePage(page, families);
  const lines: string[] = [];
  for (const { comments, samples } of families.values()) {
    lines.push(...comments);
    for (const [sample, value] of samples) lines.push(`${sample} ${formatValue(value)}`);
  }
  return `${lines.join("\n")}\n`;
}

function mergePage(page: string, families: Map<string, MetricFamily>): void {
  let family: MetricFamily | undefined;
  for (const line of page.split("\n")) {
    if (line.startsWith("# ")) {
      family = mergeComment(line, families);
      continue;
    }
    const space = line.lastIndexOf(" ");
    if (space < 0 || family === undefined) continue;
    const sample = line.slice(0, space);
    const value = parseValue(line.slice(space + 1));
    const known = family.samples.get(sample);
    family.samples.set(sample, known === undefined ? value : family.merge(known, value));
  }
}

function mergeComment(line: string, families: Map<string, MetricFamily>): MetricFamily {
  const [, , name = ""] = line.split(" ", 3);
  const family: MetricFamily = families.get(name) ?? {
    comments: [],
    merge: GAUGE_MERGES.find(([pattern]) => pattern.test(name))?.[1] ?? add,
    samples: new Map(),
  };
  families.set(name, family);
  if (!family.comments.includes(line)) family.comments.push(line);
  return family;
}

function parseValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return Number(text);
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}
