import type { Corpora } from "../corpus/corpus.ts";
import type { ColdStart } from "../parts/measure-cold-start.ts";
import type { GatewayFigures } from "../parts/measure-gateway.ts";
import type { LoadFigures } from "../parts/measure-load.ts";
import type { ModelFigures } from "../parts/measure-model.ts";
import type { ShippedModel } from "../parts/measure-shipped.ts";
import type { PeerFigures } from "../peers/measure-peers.ts";
import type { Machine } from "../servers/machine.ts";

/** What a reader must know about the texts. */
export interface CorpusFacts {
  readonly name: string;
  readonly texts: number;
  /** Lengths in ids, special ones included, cut at the most that the model reads. */
  readonly meanIds: number;
  readonly p50Ids: number;
  readonly p90Ids: number;
  readonly p99Ids: number;
  readonly digest: string;
}

/** Everything that one run found. Parts that were left out are missing. */
export interface Measured {
  readonly benchmark: "serving";
  /** Day of the run, UTC, as YYYY-MM-DD. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly textSource: Corpora["source"];
  readonly corpora: readonly CorpusFacts[];
  readonly load?: readonly LoadFigures[];
  readonly model?: ModelFigures;
  readonly coldStart?: ColdStart;
  readonly gateway?: readonly GatewayFigures[];
  readonly shipped?: readonly ShippedModel[];
  readonly peers?: PeerFigures;
}

/** The JSON file in `benchmarks/results`. */
export interface BenchmarkResult extends Measured {
  readonly ratios: readonly Ratio[];
}

/** A line that the design sets, and where this run stands. */
export interface Ratio {
  readonly name: string;
  readonly goal: string;
  readonly measured: string;
  readonly verdict: "met" | "MISSED" | "not measured";
}
