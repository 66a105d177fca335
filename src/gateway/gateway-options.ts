import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelStatistics } from "../core/ports/model-statistics.ts";
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

/** Loads and unloads models at a caller's request. */
export interface ModelControl {
  /** Resolves when it answers. @throws SluiceError `not_found`, `unavailable` when it cannot be loaded */
  load(model: string): Promise<void>;
  /** Resolves when it takes no more. @throws SluiceError `not_found` */
  unload(model: string): Promise<void>;
}

/** Everything the gateway needs; it creates none of it. */
export interface GatewayOptions {
  readonly version: string;
  readonly server: ServerLimits;
  readonly limits: InputLimits & DeadlineLimits;
  readonly protocols: ProtocolOptions;
  readonly defaultModel: string;
  readonly pipeline: InferencePipeline;
  readonly authenticate: Authenticator;
  readonly limitRate: RateLimiter;
  /** Throws SluiceError `overloaded` while the process itself cannot keep up. */
  readonly assertKeepingUp: () => void;
  readonly isDraining: () => boolean;
  /** `undefined`: callers may not, see `models.control`. */
  readonly modelControl: ModelControl | undefined;
  /** What a version did in this process; undefined when it was never loaded. */
  readonly statistics: (model: string, version: string) => ModelStatistics | undefined;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  readonly observer: HttpObserver;
  readonly logger: Logger;
}
