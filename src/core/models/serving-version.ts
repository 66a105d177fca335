import type { Batcher } from "../inference/batcher.ts";
import type { Backend } from "../ports/backend.ts";
import type { VersionObserver } from "../ports/inference-observer.ts";
import type { Tokenizer } from "../ports/tokenizer.ts";
import type { ActivationFunction } from "../text/labels.ts";
import type { ModelManifest } from "./manifest.ts";

/** A loaded version with everything that a request needs from it. */
export interface ServingVersion {
  readonly manifest: ModelManifest;
  /** Made from the package's digest; a cache key is one of these followed by the text. */
  readonly cacheKeyPrefixes: Readonly<Record<ActivationFunction, string>>;
  readonly tokenizer: Tokenizer;
  readonly backend: Backend;
  readonly batcher: Batcher;
  readonly observer: VersionObserver;
}
