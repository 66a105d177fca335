import type { Batcher } from "../inference/batcher.ts";
import type { Backend } from "../ports/backend.ts";
import type { TokenInspector } from "../ports/token-inspector.ts";
import type { Tokenizer } from "../ports/tokenizer.ts";
import type { TextManifest } from "./manifest.ts";
import type { VersionStatistics } from "./version-statistics.ts";

/** A loaded version of a model of texts with everything that a request needs from it. */
export interface ServingVersion {
  readonly manifest: TextManifest;
  /** Of the package's files; see `ModelPackage.digest`. */
  readonly digest: string;
  /** Made from the package's digest; a cache key is this followed by the text. */
  readonly cacheKeyPrefix: string;
  /** Whether the model can be given a second text. */
  readonly readsPairs: boolean;
  readonly tokenizer: Tokenizer;
  /** Undefined for tokenizers whose ids have no names. */
  readonly inspector?: TokenInspector | undefined;
  readonly backend: Backend;
  readonly batcher: Batcher;
  /** Hears what happens to it, and adds it up. */
  readonly observer: VersionStatistics;
}
