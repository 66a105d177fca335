import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../core/errors.ts";
import type {
  BatchObservation,
  InferenceObserver,
  PredictionObservation,
} from "../core/ports/inference-observer.ts";

/** State that is read when somebody asks for metrics, rather than counted. */
export interface MetricsSnapshot {
  /** Every known version, with what waits in front of it. */
  versions(): readonly {
    readonly model: string;
    readonly version: string;
    readonly isReady: boolean;
    readonly queuedItems: number;
  }[];
}

/** Upper bounds in seconds. Those of the established dashboards (.01 … 5), and finer ones for models on this path. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5];
const ITEM_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128];

/**
 * All metrics of the process, in one table each. Those about models start with `ai_model_`, so that one scrape rule
 * keeps them; `model_version` is `<model>:<version>`.
 */
export class Metrics implements InferenceObserver {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;

  readonly #predictions = new Counter({
    name: "ai_model_predictions_total",
    help: "Predictions by best label.",
    labelNames: ["model_version", "prediction_label"],
    registers: [this.#registry],
  });
  readonly #predictionDuration = new Histogram({
    name: "ai_model_prediction_duration_seconds",
    help: "Time from the start of a request to its prediction.",
    labelNames: ["model_version"],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });
  readonly #answers = new Counter({
    name: "ai_model_answers_total",
    help: "Predictions by where they came from: model, cache, or coalesced with an equal request.",
    labelNames: ["model_version", "source"],
    registers: [this.#registry],
  });
  readonly #failures = new Counter({
    name: "ai_model_failures_total",
    help: "Texts without a prediction, by error code.",
    labelNames: ["model_version", "code"],
    registers: [this.#registry],
  });
  readonly #batchItems = new Histogram({
    name: "ai_model_batch_items",
    help: "Texts per batch.",
    labelNames: ["model_version"],
    buckets: ITEM_BUCKETS,
    registers: [this.#registry],
  });
  readonly #batchDuration = new Histogram({
    name: "ai_model_batch_duration_seconds",
    help: "Run time of a batch.",
    labelNames: ["model_version"],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });
  readonly #queueDuration = new Histogram({
    name: "ai_model_queue_duration_seconds",
    help: "Wait of a batch's oldest text.",
    labelNames: ["model_version"],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });
  readonly #tokens = new Counter({
    name: "ai_model_tokens_total",
    help: "Ids run, without padding.",
    labelNames: ["model_version"],
    registers: [this.#registry],
  });
  readonly #paddingTokens = new Counter({
    name: "ai_model_padding_tokens_total",
    help: "Ids that padding to the longest text of a batch adds.",
    labelNames: ["model_version"],
    registers: [this.#registry],
  });
  readonly #cacheErrors = new Counter({
    name: "ai_model_cache_errors_total",
    help: "Cache calls that failed; their requests went on without the cache.",
    registers: [this.#registry],
  });
  readonly #httpRequests = new Counter({
    name: "sluice_http_requests_total",
    help: "Answers by route and status.",
    labelNames: ["method", "route", "status"],
    registers: [this.#registry],
  });
  readonly #httpDuration = new Histogram({
    name: "sluice_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer.",
    labelNames: ["route"],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });

  constructor(snapshot: MetricsSnapshot) {
    collectDefaultMetrics({ register: this.#registry });
    const labelNames = ["model_version"] as const;
    const registers = [this.#registry];
    new Gauge({
      name: "ai_model_loaded",
      help: "1 when the version can answer, 0 when it cannot.",
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { model, version, isReady } of snapshot.versions()) {
          this.set({ model_version: `${model}:${version}` }, isReady ? 1 : 0);
        }
      },
    });
    new Gauge({
      name: "ai_model_queue_items",
      help: "Texts waiting for a free slot.",
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { model, version, queuedItems } of snapshot.versions()) {
          this.set({ model_version: `${model}:${version}` }, queuedItems);
        }
      },
    });
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  batchFinished(batch: BatchObservation): void {
    const labels = { model_version: `${batch.model}:${batch.version}` };
    this.#batchItems.observe(labels, batch.items);
    this.#batchDuration.observe(labels, batch.runMs / 1000);
    this.#queueDuration.observe(labels, batch.queueMs / 1000);
    this.#tokens.inc(labels, batch.tokens);
    this.#paddingTokens.inc(labels, batch.paddedTokens - batch.tokens);
  }

  predictionMade({ model, version, label, source, durationMs }: PredictionObservation): void {
    const modelVersion = `${model}:${version}`;
    this.#predictions.inc({ model_version: modelVersion, prediction_label: label });
    this.#answers.inc({ model_version: modelVersion, source });
    this.#predictionDuration.observe({ model_version: modelVersion }, durationMs / 1000);
  }

  itemFailed(model: string, version: string, code: ErrorCode): void {
    this.#failures.inc({ model_version: `${model}:${version}`, code });
  }

  cacheFailed(): void {
    this.#cacheErrors.inc();
  }

  answered(method: string, route: string, status: number, durationMs: number): void {
    this.#httpRequests.inc({ method, route, status });
    this.#httpDuration.observe({ route }, durationMs / 1000);
  }
}
