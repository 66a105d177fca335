import type { BatcherOptions } from "../../src/core/inference/batcher.ts";
import { Batcher } from "../../src/core/inference/batcher.ts";
import { createCacheKeyPrefix } from "../../src/core/inference/cache-key.ts";
import { Coalescer } from "../../src/core/inference/coalesce.ts";
import { OnlineActivity } from "../../src/core/inference/online-activity.ts";
import type { ItemResult } from "../../src/core/inference/result.ts";
import { ResultCache } from "../../src/core/inference/result-cache.ts";
import type { RowOutcome } from "../../src/core/inference/run-inference.ts";
import type { TextManifest } from "../../src/core/models/manifest.ts";
import { ModelRegistry } from "../../src/core/models/registry.ts";
import { VersionStatistics } from "../../src/core/models/version-statistics.ts";
import type { Backend } from "../../src/core/ports/backend.ts";
import type { CacheStore } from "../../src/core/ports/cache-store.ts";
import { ReleaseTraffic } from "../../src/core/releases/release-traffic.ts";
import { FakeClock } from "./fake-clock.ts";
import { RecordingObserver } from "./recording-observer.ts";
import { POISON, ScriptedBackend } from "./scripted-backend.ts";

export const SCRIPTED_MANIFEST: TextManifest = {
  name: "m",
  version: "1.0.0",
  task: "classification",
  problemType: "single_label_classification",
  labels: ["number", "length"],
  languages: ["en"],
  tokenizer: { kind: "scripted" },
  model: { path: "model.onnx", sha256: "0".repeat(64) },
  inputs: { ids: "ids", padId: 0 },
  maxTokens: undefined,
  windows: { max: 1, overlapTokens: 0 },
  output: { name: "logits", pooling: "none", normalize: false },
  defaultFunction: "softmax",
  thresholds: {},
  abstainBelow: undefined,
  description: "Answers the number that a text holds, and its length.",
  license: "Apache-2.0",
};

/** Text "17" is id 17, "1 2" is read in two windows; "poison" makes its batch fail. */
const tokenizer = {
  encode: (text: string) => ({
    windows: text.split(" ").map((word) => ({
      ids: Int32Array.of(word === "poison" ? POISON : Number(word)),
      secondStart: 1,
    })),
    truncated: text.includes("0 0 0"),
  }),
};

/** A cache that shows what it holds. */
export function createMapCache(): CacheStore & { readonly entries: Map<string, Float32Array> } {
  const entries = new Map<string, Float32Array>();
  return {
    description: "map",
    entries,
    getMany: async (keys) => keys.map((key) => entries.get(key)),
    set: async (key, value) => void entries.set(key, value),
    close: async () => {},
  };
}

/** The whole way of a text, with model "m" 1.0.0 behind it: a fake clock and a scripted backend are all that is not real. */
export function createScriptedPipeline(
  store: CacheStore = createMapCache(),
  maxQueueItems = 10_000,
  changes: Partial<BatcherOptions["limits"]> = {},
) {
  const clock = new FakeClock();
  /** How long runs take that start from now on. */
  const pace = { runMs: 10 };
  const observer = new RecordingObserver();
  const registry = new ModelRegistry();
  const backend = new ScriptedBackend({ clock, runMs: () => pace.runMs });
  const limits = {
    maxBatchItems: 8,
    maxBatchTokens: 1000,
    maxBatchRunMs: 1e9,
    maxQueueDelayMs: 0,
    minBatchItems: 8,
    maxQueueItems,
    maxQueueWaitMs: 1e9,
    maxBulkItems: 1e6,
    bulkShare: 0.05,
    ...changes,
  };
  /** Another version becomes ready, on a backend of its own. */
  const addVersion = (version: string, versionBackend: Backend) => {
    registry.discover("m", version);
    for (const state of ["verifying", "loading", "warming"] as const) {
      registry.transition("m", version, state);
    }
    registry.activate({
      manifest: { ...SCRIPTED_MANIFEST, version },
      digest: version,
      cacheKeyPrefix: createCacheKeyPrefix({ model: "m", version, digest: version }),
      readsPairs: false,
      tokenizer,
      backend: versionBackend,
      batcher: new Batcher({ backend: versionBackend, clock, limits, observer }),
      observer: new VersionStatistics(clock, observer),
    });
  };
  addVersion("1.0.0", backend);
  const pipeline = {
    clock,
    registry,
    graphs: new Map(),
    cache: new ResultCache(store, 1000, observer),
    coalescer: new Coalescer<RowOutcome>(clock),
    limits: { maxTextCharacters: 5000 },
    activity: new OnlineActivity(),
    releases: new ReleaseTraffic(),
  };
  return { clock, backend, observer, pipeline, pace, addVersion };
}

/** The score of the label "number": the number that a text holds, when outputs are asked for as they are. */
export const numberOf = (item: ItemResult | undefined) =>
  item?.ok === true && item.prediction.kind === "labels"
    ? item.prediction.labels.find((one) => one.label === "number")?.score
    : undefined;
