import { SluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { RunOptions } from "../../core/ports/run-options.ts";
import type { Tensor, TensorSignature } from "../../core/ports/tensor.ts";
import type { TensorBackend } from "../../core/ports/tensor-backend.ts";
import { trySmallest } from "../onnx/tensors/try-smallest.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import { createEndpointPool } from "./endpoint-pool.ts";
import type { ChannelQuestion, ModelChannel } from "./model-channel.ts";
import { ownTensor } from "./own-tensor.ts";
import type { RemotePoolObserver } from "./remote-pool-observer.ts";
import type { RemotePoolOptions } from "./remote-pool-options.ts";

/** How a model on other servers is used; protocols add where it is. */
export interface RemoteBackendOptions {
  readonly clock: Clock;
  readonly pool?: RemotePoolOptions;
  readonly observer?: RemotePoolObserver;
  /** Runs in flight on each server at most; ≥ 1. Default 32: such servers batch by themselves. */
  readonly maxInFlight?: number;
}

export interface ChannelBackendOptions extends RemoteBackendOptions {
  /** One per server; at least one. Closed with the backend. */
  readonly channels: readonly ModelChannel[];
  /** Instead of what the servers say. */
  readonly signature: TensorSignature | undefined;
  /** The protocol's name, for people. */
  readonly protocol: string;
}

/** A tensor model on other servers. */
export interface RemoteTensorBackend extends TensorBackend {
  /** Servers that get requests at present. */
  readonly healthyServers: number;
  /**
   * As the port says. Names that the signature does not have are asked for as they are: servers may know more than they
   * list.
   *
   * @throws SluiceError also what a server answers about these inputs, in its words: `invalid_argument`, `too_large`,
   * `overloaded`; `unavailable` with `retryAfterMs` while no server is fit to be asked; `deadline_exceeded`
   */
  run(
    inputs: readonly Tensor[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly Tensor[]>;
  /** Versions that one of the servers has ready, in its words. @throws SluiceError when none answers */
  listVersions(): Promise<readonly string[]>;
  /** Whether at least one server has the model ready now. Never rejects. */
  isReady(): Promise<boolean>;
}

const DEFAULT_MAX_IN_FLIGHT = 32;
const ASKED_BY_CALLERS: RunOptions = { isCopy: false };

/**
 * A backend over servers that have the same model. Asks one of them what the model reads and answers, unless that is
 * given, and tries the model once.
 *
 * @throws SluiceError `unavailable` when no server answers; `invalid_argument` when none says what the model reads. The
 * channels are closed then.
 */
export async function createRemoteTensorBackend(
  options: ChannelBackendOptions,
): Promise<RemoteTensorBackend> {
  const { channels, clock, pool: poolOptions, observer } = options;
  const pool = createEndpointPool<ModelChannel>({
    endpoints: channels,
    clock,
    probe: (channel, call) => channel.assertReady(call),
    ...poolOptions,
    ...(observer === undefined ? {} : { observer }),
  });
  try {
    const signature = options.signature ?? (await readSignature(pool));
    const run: TensorBackend["run"] = (inputs, outputs, { isCopy } = ASKED_BY_CALLERS) =>
      runOn(pool, signature, { inputs, outputs, isCopy });
    const smallest = await trySmallest({ signature, run }, () => clock.nowMs());
    const parallelRuns = channels.length;
    let closing: Promise<void> | undefined;
    return {
      signature,
      slots: parallelRuns * (options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT),
      parallelRuns,
      description: describe(options.protocol, channels),
      measuredRunMs: smallest?.ms,
      get healthyServers() {
        return pool.healthyEndpoints;
      },
      run,
      listVersions: () => pool.run((channel, call) => channel.listVersions(call)),
      isReady: () =>
        pool
          .run((channel, call) => channel.assertReady(call))
          .then(
            () => true,
            () => false,
          ),
      close: () => {
        closing ??= closeAll(pool, channels);
        return closing;
      },
    };
  } catch (error) {
    await closeAll(pool, channels);
    throw error;
  }
}

async function closeAll(
  pool: EndpointPool<ModelChannel>,
  channels: readonly ModelChannel[],
): Promise<void> {
  await pool.close();
  for (const channel of channels) channel.close();
}

async function readSignature(pool: EndpointPool<ModelChannel>): Promise<TensorSignature> {
  const { signature } = await pool.run((channel, call) => channel.describe(call));
  if (signature !== undefined) return signature;
  throw new SluiceError(
    "invalid_argument",
    "The model's server does not say what the model reads and answers; state its signature.",
  );
}

async function runOn(
  pool: EndpointPool<ModelChannel>,
  signature: TensorSignature,
  question: ChannelQuestion,
): Promise<readonly Tensor[]> {
  const answered = await pool.run((channel, call) => channel.infer(question, call));
  return question.outputs.map((name) => {
    const tensor = answered.find((output) => output.name === name);
    if (tensor === undefined) {
      throw new SluiceError("model_failed", "The model's server left out an output.");
    }
    const spec = signature.outputs.find((output) => output.name === name);
    if (spec !== undefined && spec.datatype !== tensor.datatype) {
      const message = `The model's server answers ${tensor.datatype} where its model states ${spec.datatype}.`;
      throw new SluiceError("model_failed", message);
    }
    return ownTensor(tensor);
  });
}

function describe(protocol: string, channels: readonly ModelChannel[]): string {
  const [first] = channels;
  const where = channels.length === 1 ? (first?.url ?? "") : `${channels.length} servers`;
  return `${protocol}, ${where}`;
}
