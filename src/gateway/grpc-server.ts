import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type {
  MethodDefinition,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import type { SluiceError } from "../core/errors.ts";
import { toSluiceError } from "../core/errors.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import { WIRE_STATUS } from "../protocols/status.ts";
import { FAULT_HEADER } from "./answer-headers.ts";
import type { Call } from "./call.ts";
import type { GrpcMethod, StreamMethod, UnaryMethod, WatchMethod } from "./grpc-method.ts";
import type { Authenticator } from "./middleware/authenticate.ts";
import type { DeadlineLimits } from "./middleware/deadline.ts";
import { toGrpcTimeoutMs } from "./middleware/deadline.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";
import type { Caller } from "./request-context.ts";
import { createRequestContext } from "./request-context.ts";
import { toRequestIdentity } from "./request-identity.ts";

/** Everything the gRPC server needs; it creates none of it. */
export interface GrpcServerOptions {
  readonly methods: readonly GrpcMethod[];
  readonly limits: DeadlineLimits;
  /** Longest message in either direction. */
  readonly maxMessageBytes: number;
  readonly clock: Pick<Clock, "nowMs" | "epochMs">;
  readonly authenticate: Authenticator;
  readonly limitRate: RateLimiter;
  readonly assertKeepingUp: () => void;
  /** Hears of every answer, or of every message of a stream. `status` is gRPC's number. */
  readonly answered: (path: string, status: number, durationMs: number) => void;
  readonly logger: Logger;
}

/** A server that is given its connections. */
export interface GrpcServer {
  /** Serves what comes over a connection that somebody else has accepted. */
  serve(connection: Duplex): void;
  /** From now on takes no new calls, and ends each connection when its calls are answered, or after `graceMs`. */
  drain(graceMs: number): void;
  /** Ends what is left. */
  close(): void;
}

type UnaryCall = ServerUnaryCall<Buffer, Uint8Array>;
type StreamCall = ServerDuplexStream<Buffer, Uint8Array>;
type WatchCall = ServerWritableStream<Buffer, Uint8Array>;
type AnyCall = UnaryCall | StreamCall | WatchCall;
/** What tells a caller that it failed. */
type Failure = { readonly code: number; readonly details: string; readonly metadata: Metadata };

/**
 * Builds the gRPC server. It stands before the same core as HTTP: keys come in the metadata `authorization` or
 * `x-api-key`, allowances are shared, and the call's deadline is the request's.
 */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_send_message_length": -1,
  });
  const byService = Map.groupBy(options.methods, ({ path }) => path.split("/")[1] ?? "");
  const gate = new Gate(options);
  for (const methods of byService.values()) {
    const definition: Record<string, MethodDefinition<Uint8Array, Uint8Array>> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const method of methods) {
      const name = method.path.split("/")[2] ?? "";
      definition[name] = define(method);
      implementation[name] = implement(method, gate);
    }
    server.addService(definition as ServiceDefinition, implementation);
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (connection) => injector.injectConnection(connection),
    drain: (graceMs) => injector.drain(graceMs),
    close: () => injector.destroy(),
  };
}

/** Messages pass as bytes: decoding errors are answered like all others then. */
function define({ path, kind }: GrpcMethod): MethodDefinition<Uint8Array, Uint8Array> {
  const same = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const asIs = (bytes: Buffer) => bytes;
  return {
    path,
    requestStream: kind === "stream",
    responseStream: kind !== "unary",
    requestSerialize: same,
    responseSerialize: same,
    requestDeserialize: asIs,
    responseDeserialize: asIs,
  };
}

function implement(method: GrpcMethod, gate: Gate): UntypedServiceImplementation[string] {
  if (method.kind === "unary") {
    return (call: UnaryCall, callback: UnaryCallback) => {
      answerUnary(method, call, gate).then(
        ({ answer, trailer }) => callback(null, answer, trailer),
        (failure: Failure) => callback(failure),
      );
    };
  }
  if (method.kind === "stream") return (call: StreamCall) => answerStream(method, call, gate);
  return (call: WatchCall) => void answerWatch(method, call, gate);
}

type UnaryCallback = (failure: Failure | null, answer?: Uint8Array, trailer?: Metadata) => void;

/** Rejects with a `Failure`. */
async function answerUnary(method: UnaryMethod, raw: UnaryCall, gate: Gate) {
  const call = gate.open(raw);
  const answer = await gate.watch(method, call, async () => {
    await gate.admit(method, raw, call);
    return await method.handle(raw.request, call);
  });
  const trailer = new Metadata();
  if (call.fault !== undefined) trailer.set(FAULT_HEADER, call.fault);
  return { answer, trailer };
}

/** Messages under way on one stream; a caller who sends more has to wait. */
const MAX_OPEN_MESSAGES = 64;

/** Messages run together, and their answers leave in the order in which they came. */
function answerStream(method: StreamMethod, raw: StreamCall, gate: Gate): void {
  const opened = gate.open(raw);
  const admitted = gate.admit(method, raw, opened);
  // Each message waits for it, and a stream without messages has nobody to tell.
  admitted.catch(() => {});
  let open = 0;
  let last: Promise<void> = Promise.resolve();
  raw.on("data", (message: Buffer) => {
    open++;
    if (open >= MAX_OPEN_MESSAGES) raw.pause();
    const call = gate.open(raw);
    const answering = gate.watch(method, call, async () => {
      await admitted;
      return await method.handle(message, { ...call, caller: opened.caller });
    });
    answering.catch(() => {});
    const before = last;
    last = (async () => {
      await before;
      raw.write(await answering);
      open--;
      raw.resume();
    })();
    last.catch((failure: Failure) => raw.emit("error", failure));
  });
  raw.on("end", () => {
    last.then(
      () => raw.end(),
      () => {},
    );
  });
}

async function answerWatch(method: WatchMethod, raw: WatchCall, gate: Gate): Promise<void> {
  const call = gate.open(raw);
  try {
    await gate.admit(method, raw, call);
    for await (const part of method.handle(raw.request, call)) {
      if (raw.cancelled) return;
      raw.write(part);
    }
    raw.end();
  } catch (thrown) {
    raw.emit("error", toFailure(toSluiceError(thrown)));
  }
}

/** A call that is known to come from somebody once it was admitted. */
type OpenCall = Call & { caller: Caller; fault: string | undefined };

/** What every call passes, and what is counted of it. */
class Gate {
  readonly #options: GrpcServerOptions;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  open(raw: AnyCall): OpenCall {
    const { clock, limits } = this.#options;
    const id = randomUUID();
    return {
      id,
      startedMs: clock.nowMs(),
      timeoutMs: toGrpcTimeoutMs(raw.getDeadline(), clock.epochMs(), limits),
      caller: ANYBODY,
      cancellation: {
        get cancelled() {
          return raw.cancelled;
        },
        onCancel: (listener) => {
          // The kinds of calls are event emitters alike, which their types do not let see.
          const emitter: EventEmitter = raw;
          emitter.once("cancelled", listener);
          return () => emitter.off("cancelled", listener);
        },
      },
      identify() {
        return toRequestIdentity(id, this.caller, toTexts(raw.metadata));
      },
      noteStages: () => {},
      fault: undefined,
      noteFault(rule) {
        this.fault = rule;
      },
    };
  }

  /** @throws SluiceError when the caller may not come in */
  async admit(method: GrpcMethod, raw: AnyCall, call: OpenCall): Promise<void> {
    if (method.access === "public") return;
    const { assertKeepingUp, authenticate, limitRate } = this.#options;
    assertKeepingUp();
    call.caller = authenticate(toHeaders(raw.metadata), toAddress(raw.getPeer()));
    await limitRate(call.caller, createRequestContext(call.startedMs));
  }

  /** Runs one answer and reports how it went. Rejects with a `Failure`. */
  async watch<Result>(
    { path }: GrpcMethod,
    call: OpenCall,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const { answered, clock, logger } = this.#options;
    const report = (status: number) => answered(path, status, clock.nowMs() - call.startedMs);
    try {
      const result = await run();
      report(0);
      return result;
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (error.code === "internal") {
        const fields = { requestId: call.id, cause: error.cause };
        logger.error("A request failed because of a bug.", fields);
      }
      const failure = toFailure(error, call.fault);
      report(failure.code);
      throw failure;
    }
  }
}

const ANYBODY: Caller = { id: "unknown", weight: 1, rateLimitRequests: undefined };

/** `sluice-code` tells what several codes of ours share one status of gRPC for. */
function toFailure(error: SluiceError, fault?: string): Failure {
  const metadata = new Metadata();
  const rule = fault ?? error.injected?.rule;
  if (rule !== undefined) metadata.set(FAULT_HEADER, rule);
  metadata.set("sluice-code", error.code);
  if (error.retryAfterMs !== undefined) {
    metadata.set("retry-after-ms", String(Math.ceil(error.retryAfterMs)));
  }
  const code = error.injected?.grpcStatus ?? WIRE_STATUS[error.code].grpc;
  return { code, details: error.message, metadata };
}

function toHeaders(metadata: Metadata): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ["authorization", "x-api-key"]) {
    const [value] = metadata.get(name);
    if (typeof value === "string") headers[name] = value;
  }
  return headers;
}

/** What is no bytes. */
function toTexts(metadata: Metadata): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata.getMap())) {
    if (typeof value === "string") texts[name] = value;
  }
  return texts;
}

/** `127.0.0.1:5000`, `[::1]:5000` or `ipv6:[::1]:5000` without the port. */
function toAddress(peer: string): string {
  return peer
    .replace(/^ipv[46]:/, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
}
