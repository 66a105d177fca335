import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Parts of a run, in their order. */
export const PARTS = ["load", "model", "cold-start", "gateway", "shipped", "peers"] as const;
export type Part = (typeof PARTS)[number];

/** What the command line asks for. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly parts: ReadonlySet<Part>;
  readonly modelsDirectory: string;
  readonly dataDirectory: string;
  /** `undefined`: print only. */
  readonly outDirectory: string | undefined;
  /** Kept between runs: Python environments. */
  readonly cacheDirectory: string;
  /** Settings of the server under test. */
  readonly flags: readonly string[];
}

export const HELP = `npm run bench -- [options] [-- settings of the server]
  --quick          about two minutes; prints, and writes files only with --out
  --peers          also other servers, which need Python and a package registry
  --only LIST      parts, separated by commas: ${PARTS.join(", ")}
  --data DIR       data sets (default: SLUICE_TEST_DATA or ../shared/data; made-up texts when missing)
  --models DIR     the models that ship (default: models)
  --out DIR        where the result goes (default: benchmarks/results)
  --cache DIR      where Python environments are kept (default: node_modules/.cache/sluice-benchmark)

Other programs: benchmarks/serving/{ngram/serving-seed,overload/overload,soak/soak}.ts`;

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where the data sets are when nobody says: they are not part of the repository. */
export function toDefaultDataDirectory(): string {
  return process.env["SLUICE_TEST_DATA"] ?? join(ROOT, "../shared/data");
}

/**
 * Reads the command line.
 *
 * @returns undefined when help was asked for
 * @throws RangeError for an unknown part, TypeError for an unknown option
 */
export function parseBenchOptions(words: readonly string[]): BenchOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      peers: { type: "boolean", default: false },
      only: { type: "string" },
      models: { type: "string", default: join(ROOT, "models") },
      data: { type: "string", default: toDefaultDataDirectory() },
      out: { type: "string" },
      cache: { type: "string", default: join(ROOT, "node_modules/.cache/sluice-benchmark") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const out = values.out ?? (values.quick ? undefined : join(ROOT, "benchmarks/results"));
  return {
    quick: values.quick,
    parts: new Set(toParts(values.only, values.peers)),
    modelsDirectory: resolve(values.models),
    dataDirectory: resolve(values.data),
    outDirectory: out === undefined ? undefined : resolve(out),
    cacheDirectory: resolve(values.cache),
    flags: positionals,
  };
}

function toParts(only: string | undefined, hasPeers: boolean): readonly Part[] {
  if (only === undefined) return PARTS.filter((part) => part !== "peers" || hasPeers);
  return only.split(",").map((name) => {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) {
      throw new RangeError(`--only: there is no part ${name}; there are ${PARTS.join(", ")}`);
    }
    return part;
  });
}
