import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ErrorCode } from "../core/errors.ts";
import type {
  AnswerSource,
  InferenceObserver,
  VersionObserver,
} from "../core/ports/inference-observer.ts";
import type { CounterChild, HistogramChild } from "./metric-families.ts";
import { CounterFamily, HistogramFamily } from "./metric-families.ts";

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
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5];
const ITEMS = [1, 2, 4, 8, 16, 32, 64, 128];

/** Every metric that is counted on the request path, with its help text. */
function createFamilies() {
  return {
    predictions: new CounterFamily("ai_model_predictions_total", "Predictions by best label."),
    predictionSeconds: new HistogramFamily(
      "ai_model_prediction_duration_seconds",
      "Time from the start of a request to its prediction.",
      SECONDS,
    ),
    answers: new CounterFamily(
      "ai_model_answers_total",
      "Predictions by source: model, cache, or coalesced with an equal request.",
    ),
    failures: new CounterFamily(
      "ai_model_failures_total",
      "Texts without a prediction, by error code.",
    ),
    batchItems: new HistogramFamily("ai_model_batch_items", "Texts per batch.", ITEMS),
    batchSeconds: new HistogramFamily(
      "ai_model_batch_duration_seconds",
      "Run time of a batch.",
      SECONDS,
    ),
    queueSeconds: new HistogramFamily(
      "ai_model_queue_duration_seconds",
      "Wait of a batch's oldest text.",
      SECONDS,
    ),
    tokens: new CounterFamily("ai_model_tokens_total", "Ids run, without padding."),
    paddingTokens: new CounterFamily(
      "ai_model_padding_tokens_total",
      "Ids that padding to the longest text of a batch adds.",
    ),
    copies: new CounterFamily(
      "ai_model_copies_total",
      "Texts that releases had run by themselves, and that are in no other metric: copies, replayed texts, gate sets.",
    ),
    copyTokens: new CounterFamily("ai_model_copy_tokens_total", "Ids of these texts."),
    copySeconds: new HistogramFamily(
      "ai_model_copy_batch_duration_seconds",
      "Run time of a batch of nothing but such texts.",
      SECONDS,
    ),
    cacheErrors: new CounterFamily(
      "ai_model_cache_errors_total",
      "Cache calls that failed; their requests went on without the cache.",
    ),
    httpRequests: new CounterFamily("sluice_http_requests_total", "Answers by route and status."),
    httpSeconds: new HistogramFamily(
      "sluice_http_request_duration_seconds",
      "Time from a request's headers to its answer.",
      SECONDS,
    ),
    grpcRequests: new CounterFamily(
      "sluice_grpc_requests_total",
      "Answers over gRPC by method and status, each message of a stream for itself.",
    ),
    feedback: new CounterFamily(
      "ai_model_feedback_total",
      "What callers said about answers: right or wrong.",
    ),
    remoteAttempts: new CounterFamily(
      "sluice_remote_requests_total",
      "Requests to servers that models run on, by server and outcome, each attempt for itself.",
    ),
    remoteSeconds: new HistogramFamily(
      "sluice_remote_request_duration_seconds",
      "Time of an attempt, by server.",
      SECONDS,
    ),
    remoteRetries: new CounterFamily(
      "sluice_remote_retries_total",
      "Requests that were sent again, or denied that because retries were used up, by server that failed.",
    ),
    remoteChanges: new CounterFamily(
      "sluice_remote_server_changes_total",
      "How often a server was ejected, tried or taken back, by server and what it became.",
    ),
    faultsInjected: new CounterFamily(
      "ai_faults_injected_total",
      "Requests that were delayed or aborted on purpose, by rule and kind.",
    ),
    predictionEventsDropped: new CounterFamily(
      "sluice_prediction_events_dropped_total",
      "Answers that were not told as events, because too many waited to be.",
    ),
    grpcSeconds: new HistogramFamily(
      "sluice_grpc_request_duration_seconds",
      "Time from a message to its answer.",
      SECONDS,
    ),
  };
}

interface RouteMetrics {
  readonly count: CounterChild;
  readonly seconds: HistogramChild;
}

type Families = ReturnType<typeof createFamilies>;

/**
 * All metrics of the process. Those about models start with `ai_model_`, so that one scrape rule keeps them;
 * `model_version` is `<model>:<version>`.
 */
export class Metrics implements InferenceObserver {
  readonly #families = createFamilies();
  readonly #cacheErrors = this.#families.cacheErrors.child({});
  readonly #predictionEventsDropped = this.#families.predictionEventsDropped.child({});
  readonly #registry = new Registry();
  /** By method, route and status, one after the other: a key made of all would be built and hashed for each answer. */
  readonly #http = remember((method: string) =>
    remember((route: string) =>
      remember((status: number) => this.#addRoute(method, route, status)),
    ),
  );
  readonly #grpc = remember((method: string) =>
    remember((status: number) => this.#addMethod(method, status)),
  );
  readonly contentType = this.#registry.contentType;

  constructor(snapshot: MetricsSnapshot) {
    collectDefaultMetrics({ register: this.#registry });
    this.#addGauge("ai_model_loaded", "1 when the version can answer, 0 when it cannot.", () =>
      snapshot.versions().map((version) => ({ ...version, value: version.isReady ? 1 : 0 })),
    );
    this.#addGauge("ai_model_queue_items", "Texts waiting for a free slot.", () =>
      snapshot.versions().map((version) => ({ ...version, value: version.queuedItems })),
    );
  }

  /** Everything in the Prometheus text format. */
  async render(): Promise<string> {
    const counted = Object.values(this.#families).map((family) => family.render());
    return `${counted.join("")}${await this.#registry.metrics()}`;
  }

  forVersion(model: string, version: string): VersionObserver {
    return createVersionObserver(this.#families, `${model}:${version}`);
  }

  cacheFailed(): void {
    this.#cacheErrors.add(1);
  }

  /** An answer was not told as an event; see `createPredictionLog`. */
  predictionEventDropped(): void {
    this.#predictionEventsDropped.add(1);
  }

  /** @param route the pattern, never the address itself: callers could make up any number of those */
  httpAnswered(method: string, route: string, status: number, durationMs: number): void {
    const { count, seconds } = this.#http(method)(route)(status);
    count.add(1);
    seconds.observe(durationMs / 1000);
  }

  /** Somebody said whether an answer was right. */
  feedbackGiven(model: string, version: string, isRight: boolean): void {
    const outcome = isRight ? "right" : "wrong";
    this.#families.feedback.child({ model: `${model}:${version}`, outcome }).add(1);
  }

  /** One attempt on another server ended. @param outcome `ok` or an error code */
  remoteAttempted(server: string, outcome: string, durationMs: number): void {
    this.#families.remoteAttempts.child({ server, outcome }).add(1);
    this.#families.remoteSeconds.child({ server }).observe(durationMs / 1000);
  }

  /** A request that failed on `server` was sent again, or denied that. */
  remoteRetried(server: string, outcome: "sent" | "denied"): void {
    this.#families.remoteRetries.child({ server, outcome }).add(1);
  }

  remoteServerChanged(server: string, state: string): void {
    this.#families.remoteChanges.child({ server, state }).add(1);
  }

  /** A request was delayed or aborted on purpose. */
  faultInjected(rule: string, kind: "delay" | "abort"): void {
    this.#families.faultsInjected.child({ rule, kind }).add(1);
  }

  /** @param status gRPC's number */
  grpcAnswered(method: string, status: number, durationMs: number): void {
    const { count, seconds } = this.#grpc(method)(status);
    count.add(1);
    seconds.observe(durationMs / 1000);
  }

  #addMethod(method: string, status: number): RouteMetrics {
    return {
      count: this.#families.grpcRequests.child({ method, status: String(status) }),
      seconds: this.#families.grpcSeconds.child({ method }),
    };
  }

  #addRoute(method: string, route: string, status: number): RouteMetrics {
    const labels = { method, route, status: String(status) };
    return {
      count: this.#families.httpRequests.child(labels),
      seconds: this.#families.httpSeconds.child({ route }),
    };
  }

  #addGauge(
    name: string,
    help: string,
    read: () => readonly { model: string; version: string; value: number }[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames: ["model_version"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { model, version, value } of read()) {
          this.set({ model_version: `${model}:${version}` }, value);
        }
      },
    });
  }
}

function createVersionObserver(families: Families, modelVersion: string): VersionObserver {
  const labels = { model_version: modelVersion };
  const seconds = families.predictionSeconds.child(labels);
  const batchItems = families.batchItems.child(labels);
  const batchSeconds = families.batchSeconds.child(labels);
  const queueSeconds = families.queueSeconds.child(labels);
  const tokens = families.tokens.child(labels);
  const paddingTokens = families.paddingTokens.child(labels);
  const copies = families.copies.child(labels);
  const copyTokens = families.copyTokens.child(labels);
  const copySeconds = families.copySeconds.child(labels);
  const byLabel = remember((label: string) =>
    families.predictions.child({ ...labels, prediction_label: label }),
  );
  const bySource = remember((source: AnswerSource) =>
    families.answers.child({ ...labels, source }),
  );
  const byCode = remember((code: ErrorCode) => families.failures.child({ ...labels, code }));
  return {
    batchFinished(batch) {
      if (batch.isCopy) {
        copies.add(batch.items);
        copyTokens.add(batch.tokens);
        copySeconds.observe(batch.runMs / 1000);
        return;
      }
      batchItems.observe(batch.items);
      batchSeconds.observe(batch.runMs / 1000);
      queueSeconds.observe(batch.queueMs / 1000);
      tokens.add(batch.tokens);
      paddingTokens.add(batch.paddedTokens - batch.tokens);
    },
    predictionMade(bestLabel, source, durationMs) {
      byLabel(bestLabel).add(1);
      bySource(source).add(1);
      seconds.observe(durationMs / 1000);
    },
    itemFailed(code) {
      byCode(code).add(1);
    },
  };
}

/** A function that computes each value once. */
function remember<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = compute(key);
      known.set(key, value);
    }
    return value;
  };
}
