import type { CollectionService } from "../core/collections/collection-service.ts";
import type { PredictionLoggedData } from "../core/events/event-data.ts";
import type { FeedbackService } from "../core/evidence/feedback-service.ts";
import type { GateService } from "../core/evidence/gate-service.ts";
import type { FaultBook } from "../core/faults/fault-book.ts";
import type { TextInput } from "../core/inference/request.ts";
import type { ItemResult } from "../core/inference/result.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { JobService } from "../core/jobs/job-service.ts";
import type { ChoiceService } from "../core/models/choice-service.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { RowSources } from "../core/ports/row-sources.ts";
import type { ReleaseHook } from "../core/releases/release-plan.ts";
import type { ReleaseService } from "../core/releases/release-service.ts";
import type { InputLimits } from "../protocols/native/field-reader.ts";
import type { HttpObserver } from "./answer.ts";
import type { Authenticator } from "./middleware/authenticate.ts";
import type { DeadlineLimits } from "./middleware/deadline.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";

/** Limits of the sockets. Defaults and meanings: `server` in the configuration reference. */
export interface ServerLimits {
  readonly maxBodyBytes: number;
  /** The same for addresses of protocols that carry tensors. */
  readonly maxTensorBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly maxHeaderBytes: number;
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
}

/** How some protocols answer. Defaults and meanings: `tensorflowServing`, `openai` in the configuration reference. */
export interface ProtocolOptions {
  readonly tensorflowServing: {
    readonly strict: boolean;
    readonly strictJson: boolean;
    readonly kserveModels: readonly string[];
    readonly versionLabels: readonly {
      readonly model: string;
      readonly label: string;
      readonly version: string;
    }[];
  };
  readonly openai: {
    readonly harmlessLabels: readonly string[];
    readonly flagThresholds: Readonly<Record<string, number>>;
  };
}

/** Limits of batches and of what waits for them. Meanings: `batching` in the configuration reference. */
export interface BatchingLimits {
  readonly maxBatchItems: number;
  readonly maxBatchTokens: number;
  readonly maxQueueItems: number;
}

/** Jobs: many texts that nobody waits for. */
export interface JobOptions {
  readonly service: JobService;
  /** Longest upload. */
  readonly maxUploadBytes: number;
  /** Time that an upload may take. */
  readonly receiveTimeoutMs: number;
  /** Where rows may be fetched from. */
  readonly sources: RowSources;
  /** @throws SluiceError `invalid_argument` when nothing may be sent to this address */
  readonly assertWebhookUrl: (url: string) => void;
}

/** Releases: how new versions go live. */
export interface ReleaseOptions {
  readonly service: ReleaseService;
  /** Ids of callers who may change releases; none = all may. */
  readonly operators: readonly string[];
  /** @throws SluiceError `invalid_argument` when a hook may not be asked at its address */
  readonly assertHooks: (hooks: readonly ReleaseHook[]) => void;
  /** What the plan of a model says in the configuration; what a caller sends counts more. */
  readonly fieldsOf: (model: string) => object;
}

/** Faults that are made on purpose. */
export interface FaultOptions {
  readonly book: FaultBook;
  /** Ids of the API keys that may set and remove faults; none = all callers may. */
  readonly operators: readonly string[];
  /** Hears of each fault that was done to a request. */
  readonly injected: (rule: string, kind: "delay" | "abort") => void;
}

/** Texts of one request that were answered, or some of them. */
export interface AnsweredTexts {
  readonly requestId: string;
  readonly model: string;
  readonly inputs: readonly TextInput[];
  readonly items: readonly ItemResult[];
  /** Position of the first of them in the request. */
  readonly first: number;
}

/** What callers say about answers, and sets of labelled texts. */
export interface FeedbackOptions {
  readonly service: FeedbackService;
  readonly gates: GateService;
  /** Ids of callers who may give feedback and change sets; none = all may. */
  readonly keys: readonly string[];
  /** Hears of every answer; never waits, never throws. */
  readonly answered: (texts: AnsweredTexts) => void;
}

/** Collections of vectors, and of examples that classify. */
export interface CollectionOptions {
  readonly service: CollectionService;
  /** Whose examples `/classify` looks at when the caller names no collection. */
  readonly defaultCollection: string;
}

/** Everything the gateway needs; it creates none of it. */
export interface GatewayOptions {
  readonly version: string;
  readonly server: ServerLimits;
  readonly limits: InputLimits & DeadlineLimits & { readonly maxStreamedTexts: number };
  /** Told to callers who ask for the limits. */
  readonly batching: BatchingLimits;
  readonly protocols: ProtocolOptions;
  readonly defaultModel: string;
  readonly pipeline: InferencePipeline;
  /** Loads and unloads models for callers; undefined where the configuration does not let them. */
  readonly control: ModelControl | undefined;
  /** Pins and labels of versions; undefined where others decide which version answers. */
  readonly choices: ChoiceService | undefined;
  /** Ids of callers who may change models, where the configuration lets callers; none = all may. */
  readonly modelOperators: readonly string[];
  /** False for a process that only works: it answers about its health and metrics. */
  readonly takesCallers: boolean;
  /** True in an engine: those who ask are gateways, and are believed when they say that no caller of theirs did. */
  readonly believesGateways: boolean;
  /** Undefined where this process takes no jobs. */
  readonly jobs: JobOptions | undefined;
  /** Undefined where this process divides no traffic. */
  readonly releases: ReleaseOptions | undefined;
  /** Undefined where the configuration allows no faults. */
  readonly faults: FaultOptions | undefined;
  /** Undefined where nobody asks this process directly. */
  readonly feedback: FeedbackOptions | undefined;
  /** Undefined where this process keeps no vectors. */
  readonly collections: CollectionOptions | undefined;
  /** Tells of every answer to a text; never waits, never throws. Undefined where nobody wants to know. */
  readonly logPrediction: ((data: PredictionLoggedData) => void) | undefined;
  readonly authenticate: Authenticator;
  readonly limitRate: RateLimiter;
  /** Throws SluiceError `overloaded` while the process itself cannot keep up. */
  readonly assertKeepingUp: () => void;
  readonly isDraining: () => boolean;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  readonly observer: HttpObserver;
  readonly logger: Logger;
}
