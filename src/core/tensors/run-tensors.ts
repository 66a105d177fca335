import { toSluiceError } from "../errors.ts";
import type { Flow } from "../inference/fair-line.ts";
import type { Lane } from "../inference/lanes.ts";
import type { TensorVersion } from "../models/tensor-version.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tensor } from "../ports/tensor.ts";
import { assertRequestFits } from "./check-request.ts";

/** What every protocol decodes into when it asks a tensor model. The core never learns which protocol that was. */
export interface TensorRequest {
  /**
   * In any order. A protocol whose callers may leave names out gives them those of the signature
   * (`TensorVersion.backend.signature`), in its order.
   */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs to answer with, in this order; undefined = all, in the order of the signature. */
  readonly outputs: readonly string[] | undefined;
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
  /** Whose share of the model the request uses. */
  readonly flow: Flow;
  readonly lane: Lane;
  /** Nobody gets the answer, and nothing counts it. */
  readonly isCopy?: boolean;
}

/** What every protocol encodes from. */
export interface TensorResult {
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly Tensor[];
  readonly queueMs: number;
  readonly inferMs: number;
  /** Milliseconds from the call to this answer. */
  readonly durationMs: number;
}

/**
 * Answers one request to a tensor model. Nothing is cached or shared: a request is its whole inputs, and two equal ones
 * are rare.
 *
 * @param version what `ModelRegistry.resolveTensors` found, with whose signature the request was decoded
 * @throws SluiceError `invalid_argument` with one detail per input or output that does not fit the signature;
 * `overloaded`, `deadline_exceeded`, `cancelled`, `unavailable`, `model_failed` as `TensorQueue.submit` does
 */
export async function runTensors(
  request: TensorRequest,
  version: TensorVersion,
  clock: Clock,
): Promise<TensorResult> {
  const { manifest, backend, queue, observer } = version;
  const startedMs = clock.nowMs();
  const { inputs, deadlineMs, cancellation, flow, lane, isCopy = false } = request;
  try {
    assertRequestFits(inputs, request.outputs, backend.signature);
    const wanted = request.outputs ?? [];
    const outputs = wanted.length > 0 ? wanted : backend.signature.outputs.map(({ name }) => name);
    const ticket = { deadlineMs, cancellation };
    const outcome = await queue.submit({ inputs, outputs, ticket, flow, lane, isCopy });
    const durationMs = clock.nowMs() - startedMs;
    if (!isCopy) observer.predictionMade("tensors", "model", durationMs);
    return {
      model: manifest.name,
      version: manifest.version,
      outputs: outcome.outputs,
      queueMs: outcome.queueMs,
      inferMs: outcome.runMs,
      durationMs,
    };
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (!isCopy) observer.itemFailed(error.code);
    throw error;
  }
}
