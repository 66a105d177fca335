import type { Corpora, Corpus } from "../corpus/corpus.ts";
import type { LoadReport } from "../load/load-job.ts";
import type { OpenFigures } from "../overload/open-rates.ts";
import type { Machine } from "../servers/machine.ts";
import type { ProcessUsage } from "../servers/process-usage.ts";
import type { ClosedFigures } from "./closed-rounds.ts";
import type { RawModel, RawSpeed } from "./raw-speed.ts";

/** Everything that one run found; the JSON file in `benchmarks/results`. */
export interface ServingResult {
  readonly benchmark: "serving-seed";
  /** Day of the run, UTC, as YYYY-MM-DD. */
  readonly date: string;
  readonly quick: boolean;
  readonly connections: number;
  readonly machine: Machine;
  readonly model: RawModel;
  readonly textSource: Corpora["source"];
  readonly corpora: readonly (Omit<Corpus, "texts"> & { readonly texts: number })[];
  readonly closed: readonly CorpusFigures[];
  readonly raw: RawFigures;
  readonly open: readonly OpenFigures[];
  /** One connection, one request at a time. */
  readonly single: readonly { readonly target: string; readonly report: LoadReport }[];
  readonly servers: readonly ServerUsage[];
  readonly goals: readonly Goal[];
}

export interface CorpusFigures {
  readonly corpus: string;
  readonly figures: readonly ClosedFigures[];
}

/** Measured before and after everything else: when the two differ, the machine was not quiet. */
export interface RawFigures {
  readonly before: readonly RawSpeed[];
  readonly after: readonly RawSpeed[];
}

export interface ServerUsage {
  readonly target: string;
  readonly atStart: ProcessUsage | undefined;
  readonly atEnd: ProcessUsage | undefined;
}

/** A line that the design sets, and where this run stands. */
export interface Goal {
  readonly name: string;
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Names of the servers, in the order in which they are loaded. */
export const TARGETS = {
  echo: "bare Fastify echo",
  cached: "/classify, cache on",
  uncached: "/classify, cache off",
} as const;
