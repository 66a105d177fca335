import type { SluiceError } from "../errors.ts";
import { toSluiceError } from "../errors.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { TensorRequest, TensorResult } from "../tensors/run-tensors.ts";
import { runTensors } from "../tensors/run-tensors.ts";
import { MIRROR_FLOW, MIRROR_TIMEOUT_MS, safeRole } from "./answer-released.ts";
import type { RequestIdentity } from "./assign-version.ts";
import { assignVersion, isMirrored } from "./assign-version.ts";
import { compareOutputs } from "./compare-outputs.ts";
import { isFault } from "./observation.ts";
import type { ReleasedModel, ReleaseRole } from "./release-traffic.ts";

type Pipeline = Pick<InferencePipeline, "registry" | "releases" | "clock">;

interface Asking {
  readonly released: ReleasedModel;
  readonly model: string;
  readonly pipeline: Pipeline;
}

/**
 * Answers a request of tensors that names no version of a model with a release under way, as `answerReleased` does for texts. What
 * the candidate refuses and stable takes is the candidate's failure: it has the same names and types, and other sizes.
 *
 * @returns undefined where there is no release
 * @throws SluiceError as `runTensors`
 */
export async function answerReleasedTensors(
  model: string,
  request: TensorRequest,
  identify: (() => RequestIdentity) | undefined,
  pipeline: Pipeline,
): Promise<TensorResult | undefined> {
  const released = pipeline.releases.find(model);
  if (released === undefined) return undefined;
  const identity = identify?.();
  const asking = { released, model, pipeline };
  const { split } = released;
  const role = identity === undefined ? safeRole(split) : assignVersion(split, identity);
  if (role === "candidate") return await askCandidate(request, asking);
  const result = await askObserved(request, "stable", asking);
  if (identity !== undefined && isMirrored(split, identity.requestId)) {
    mirror(request, asking, result);
  }
  return result;
}

async function askObserved(
  request: TensorRequest,
  role: ReleaseRole,
  { released: { split, recorders }, model, pipeline }: Asking,
): Promise<TensorResult> {
  const recorder = recorders[role];
  try {
    const version = pipeline.registry.resolveTensors(model, split[role]);
    const result = await runTensors(request, version, pipeline.clock);
    const latencyMs = result.durationMs;
    recorder.recordAnswer({ latencyMs, best: null, confidence: null, all: null });
    return result;
  } catch (thrown) {
    const error = toSluiceError(thrown);
    recorder.recordFailure(error.code);
    throw error;
  }
}

async function askCandidate(request: TensorRequest, asking: Asking): Promise<TensorResult> {
  const { clock } = asking.pipeline;
  try {
    return await askObserved(request, "candidate", asking);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    const mayKnowBetter = isFault(error.code) || error.code === "invalid_argument";
    if (!mayKnowBetter || clock.nowMs() >= request.deadlineMs) throw error;
    const result = await askObserved(request, "stable", asking);
    if (!isFault(error.code)) asking.released.recorders.candidate.recordFailure("model_failed");
    return result;
  }
}

/** Has the candidate answer the same unseen, and compares. Nobody waits for it. */
function mirror(request: TensorRequest, asking: Asking, result: TensorResult): void {
  const { releases, clock } = asking.pipeline;
  const leave = releases.enterMirror();
  if (leave === undefined) return;
  const copy: TensorRequest = {
    ...request,
    deadlineMs: clock.nowMs() + MIRROR_TIMEOUT_MS,
    cancellation: NEVER_CANCELLED,
    flow: MIRROR_FLOW,
    isCopy: true,
  };
  askObserved(copy, "candidate", asking)
    .then((mirrored) => compare(result, mirrored, asking))
    // It is counted among the candidate's failures already.
    .catch((_: SluiceError) => {})
    .finally(leave);
}

function compare(
  stable: TensorResult,
  candidate: TensorResult,
  { released: { split, recorders }, model, pipeline }: Asking,
): void {
  if (split.comparisons.length === 0) return;
  const { outputs } = pipeline.registry.resolveTensors(model, candidate.version).backend.signature;
  for (const comparison of split.comparisons) {
    const compared = compareOutputs(stable.outputs, candidate.outputs, outputs, comparison);
    recorders.candidate.recordOutputs(comparison.metric, compared);
  }
}
