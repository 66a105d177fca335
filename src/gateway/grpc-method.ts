import type { Call } from "./call.ts";

/** One method of a gRPC service. Messages are bytes here; the protocols decode and encode them. */
interface GrpcMethodShape {
  /** e.g. `/inference.GRPCInferenceService/ModelInfer`. */
  readonly path: string;
  /** `public` methods need no key and are not counted against any allowance. */
  readonly access: "public" | "caller";
}

/** One message in, one out. */
export interface UnaryMethod extends GrpcMethodShape {
  readonly kind: "unary";
  /** What it throws becomes the call's status. */
  handle(message: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array>;
}

/** Any number of messages in, each of which is answered when its answer is there. */
export interface StreamMethod extends GrpcMethodShape {
  readonly kind: "stream";
  /** What it throws ends the stream; a protocol whose messages can carry an error gives that back instead. */
  handle(message: Uint8Array, call: Call): Promise<Uint8Array>;
}

/** One message in, any number out, until the caller goes away. */
export interface WatchMethod extends GrpcMethodShape {
  readonly kind: "watch";
  handle(message: Uint8Array, call: Call): AsyncIterable<Uint8Array>;
}

export type GrpcMethod = UnaryMethod | StreamMethod | WatchMethod;
