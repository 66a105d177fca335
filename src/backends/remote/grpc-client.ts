import type { ChannelOptions, ClientUnaryCall, ServiceError } from "@grpc/grpc-js";
import { SluiceError } from "../../core/errors.ts";
import { toGrpcError } from "./answer-error.ts";
import type { AttemptCall } from "./attempt.ts";

/** How one server is talked to. */
export interface GrpcClientOptions {
  /** `grpc://host:port`, or `grpcs://host:port` with TLS. */
  readonly url: string;
  /** Metadata sent with every call; names are sent in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates in PEM that sign the server's, when it is no public authority. */
  readonly certificateAuthority?: string;
  /** Bytes of an answer at most; > 0. Default 256 MiB. */
  readonly maxResponseBytes?: number;
}

/** Talks to one gRPC server over one connection. */
export interface GrpcClient {
  /**
   * One message out, one back.
   *
   * @param path e.g. `/inference.GRPCInferenceService/ModelInfer`
   * @throws SluiceError by the status: see `toGrpcError`; `cancelled` when the signal was aborted
   */
  call(path: string, message: Uint8Array, call: AttemptCall): Promise<Uint8Array>;
  /** Idempotent. */
  close(): void;
}

const MAX_RESPONSE_BYTES = 256 * 1_024 * 1_024;
const CANCELLED = 1;
/** A server that is back should be found as soon as it is probed, not when a connection's own patience is over. */
const RECONNECT_MS = { first: 100, last: 2_000 };

/** @throws SluiceError `invalid_argument` when the address is none; `unavailable` when the library is missing */
export async function createGrpcClient(options: GrpcClientOptions): Promise<GrpcClient> {
  const { host, isSecure } = parseAddress(options.url);
  const { Client, Metadata, credentials } = await loadLibrary();
  const ca = options.certificateAuthority;
  const secrets = isSecure
    ? credentials.createSsl(ca === undefined ? null : Buffer.from(ca))
    : credentials.createInsecure();
  const channelOptions: ChannelOptions = {
    "grpc.max_receive_message_length": options.maxResponseBytes ?? MAX_RESPONSE_BYTES,
    "grpc.max_send_message_length": -1,
    // The pool decides what is sent again.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": RECONNECT_MS.first,
    "grpc.max_reconnect_backoff_ms": RECONNECT_MS.last,
    // Connections are shared by address otherwise, also between pools.
    "grpc.use_local_subchannel_pool": 1,
  };
  const client = new Client(host, secrets, channelOptions);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    metadata.set(name.toLowerCase(), value);
  }
  return {
    call: (path, message, { signal, timeoutMs }) =>
      new Promise<Uint8Array>((resolve, reject) => {
        if (signal.aborted) return reject(toCancelled());
        let call: ClientUnaryCall | undefined;
        const onAbort = () => call?.cancel();
        const onAnswer = (error: ServiceError | null, answer?: Buffer) => {
          signal.removeEventListener("abort", onAbort);
          if (error === null && answer !== undefined) return resolve(answer);
          const wasOurs = error?.code === CANCELLED && signal.aborted;
          reject(
            wasOurs ? toCancelled() : toGrpcError(error?.code ?? 13, error?.details ?? "", error),
          );
        };
        signal.addEventListener("abort", onAbort, { once: true });
        const deadline = Date.now() + timeoutMs;
        call = client.makeUnaryRequest(
          path,
          (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          (bytes: Buffer) => bytes,
          message,
          metadata,
          { deadline },
          onAnswer,
        );
      }),
    close: () => client.close(),
  };
}

async function loadLibrary(): Promise<typeof import("@grpc/grpc-js")> {
  try {
    return await import("@grpc/grpc-js");
  } catch (error) {
    const message = "Servers with grpc:// need the package @grpc/grpc-js; run `npm install`.";
    throw new SluiceError("unavailable", message, { cause: error });
  }
}

function parseAddress(url: string): { readonly host: string; readonly isSecure: boolean } {
  const match = /^(grpcs?):\/\/([^/?#@\s]+:\d+)\/?$/.exec(url);
  const [, scheme, host] = match ?? [];
  if (scheme !== undefined && host !== undefined) return { host, isSecure: scheme === "grpcs" };
  throw new SluiceError(
    "invalid_argument",
    "The address of a gRPC server must be grpc://host:port, or grpcs://host:port with TLS.",
  );
}

function toCancelled(): SluiceError {
  return new SluiceError("cancelled", "The request to the model's server was cancelled.");
}
