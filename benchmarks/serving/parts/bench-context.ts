import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import type { Corpus } from "../corpus/corpus.ts";
import type { LoadClient } from "../load/load-client.ts";
import type { OpenMode } from "../load/open-loop.ts";
import type { SeededPackages } from "../models/build-seeded-packages.ts";
import type { Plan } from "./plan.ts";

/** The kinds of texts that transformers are measured with. */
export const TRANSFORMER_CORPORA = ["short", "mixed"] as const;

/** A corpus whose bodies the load generator knows under its name. */
export interface BenchCorpus extends Corpus {
  readonly name: (typeof TRANSFORMER_CORPORA)[number];
  /** As the server under test tokenizes them. */
  readonly encoded: readonly EncodedText[];
  readonly meanIds: number;
}

/** What the parts of a run share. */
export interface BenchContext {
  readonly client: LoadClient;
  readonly corpora: readonly BenchCorpus[];
  readonly packages: SeededPackages;
  /** Folder of the models that ship. */
  readonly modelsDirectory: string;
  /** Free for files; removed in the end. */
  readonly workDirectory: string;
  readonly plan: Plan;
  readonly cores: number;
  readonly pacing: OpenMode["pacing"];
  /** Further settings of the servers, as flags. */
  readonly flags: readonly string[];
  /** Tells whoever waits what is being done. */
  readonly say: (what: string) => void;
}

/** Settings of every server here: results must come from the model. */
export const NO_CACHE = ["--cache.store.driver", "none"] as const;

/**
 * Settings for closed loops. Whoever is refused there asks again at once, as no sane caller would, and the load would turn
 * into a storm of refusals; so nothing is refused. The open loop meets the defaults.
 */
export const ADMIT_ALL = [
  "--batching.max-queue-wait-ms",
  "600000",
  "--overload.max-event-loop-lag-ms",
  "0",
] as const;
