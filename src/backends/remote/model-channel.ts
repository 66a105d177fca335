import type { Tensor, TensorSignature } from "../../core/ports/tensor.ts";
import type { AttemptCall, RemoteEndpoint } from "./attempt.ts";

/** What a server is asked. */
export interface ChannelQuestion {
  readonly inputs: readonly Tensor[];
  /** Names, at least one. */
  readonly outputs: readonly string[];
  /** No caller asked; engines are told, so that their metrics leave it out. */
  readonly isCopy: boolean;
}

/** What a server says about its model. */
export interface ChannelDescription {
  /** `undefined` where it does not say. */
  readonly signature: TensorSignature | undefined;
}

/**
 * One model on one server, by one protocol.
 *
 * Errors of all methods: `unavailable` when this server is not there, not ready, or does not have the model, so that
 * another may answer; `invalid_argument`, `too_large` and `overloaded` as the server gave them, in its words;
 * `model_failed` when the model did not run, or the server refuses us; `deadline_exceeded`; `cancelled`.
 */
export interface ModelChannel extends RemoteEndpoint {
  /** @returns the outputs asked for, in any order, maybe others too; views of what came are welcome */
  infer(question: ChannelQuestion, call: AttemptCall): Promise<readonly Tensor[]>;
  describe(call: AttemptCall): Promise<ChannelDescription>;
  /** Versions that serve, as the server calls them, in its order; empty where it does not say. */
  listVersions(call: AttemptCall): Promise<readonly string[]>;
  /** Settles when the model can be asked. */
  assertReady(call: AttemptCall): Promise<void>;
  /** Closes the connections. Idempotent. */
  close(): void;
}

/** Where a model is and how its servers are reached. */
export interface RemoteModelOptions {
  /**
   * Servers that have the model, all of them equal: `http://` and `https://` for REST, `grpc://` and `grpcs://` for
   * gRPC; each may have its own. At least one.
   */
  readonly servers: readonly string[];
  /** As the servers call it. */
  readonly model: string;
  /** As the servers call it; left out: they choose. */
  readonly version?: string;
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The servers are engines of Sluice, which read parameters of our own; over REST, which is how engines are asked. */
  readonly areEngines?: boolean;
  /** Certificates in PEM that sign the servers', when it is no public authority. */
  readonly certificateAuthority?: string;
  /** Milliseconds to open a connection; > 0. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /** Bytes of an answer at most; > 0. Default 256 MiB. */
  readonly maxResponseBytes?: number;
  /** Instead of what the servers say, or where they say nothing. */
  readonly signature?: TensorSignature;
}
