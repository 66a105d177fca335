import type { SluiceError } from "../errors.ts";
import { toSluiceError } from "../errors.ts";
import type { InferenceRequest } from "../inference/request.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { InferenceResult, ItemResult, Prediction } from "../inference/result.ts";
import type { InferencePipeline, ItemListener } from "../inference/run-inference.ts";
import { runInference } from "../inference/run-inference.ts";
import { toPrediction } from "../inference/to-prediction.ts";
import type { TextManifest } from "../models/manifest.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { RequestIdentity } from "./assign-version.ts";
import { assignVersion, isMirrored } from "./assign-version.ts";
import { isNear } from "./compare-outputs.ts";
import { isFault } from "./observation.ts";
import type { ObservationRecorder } from "./observation-recorder.ts";
import type { ReleasedModel, ReleaseRole } from "./release-traffic.ts";

/** Copies share a model with those who wait, and come after them. */
export const MIRROR_FLOW = { id: "mirror", weight: 0.05 };
/** How long a copy is waited for. */
export const MIRROR_TIMEOUT_MS = 10_000;

/**
 * Answers a request that names no version of a model with a release under way: by the version that is the caller's. What the
 * candidate cannot answer, stable is asked, so that a bad candidate costs its callers time and no answer. What either
 * version computes is observed; some of stable's texts are asked of the candidate too, unseen.
 *
 * @throws SluiceError as `runInference`
 */
export async function answerReleased(
  request: InferenceRequest,
  released: ReleasedModel,
  pipeline: InferencePipeline,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  const { split } = released;
  const identity = request.identity?.();
  const role = identity === undefined ? safeRole(split) : assignVersion(split, identity);
  if (role === "candidate") return await askCandidate(request, released, pipeline, onItem);
  const result = await askObserved(request, { released, role, pipeline }, onItem);
  if (identity !== undefined) mirror(request, identity, released, pipeline, result);
  return result;
}

/** Who is nobody in particular, such as a job, stays on what is known to be good, until the candidate has everything. */
export function safeRole({ candidateWeight }: ReleasedModel["split"]): ReleaseRole {
  return candidateWeight >= 100 ? "candidate" : "stable";
}

interface Asking {
  readonly released: ReleasedModel;
  readonly role: ReleaseRole;
  readonly pipeline: InferencePipeline;
}

/** Asks one of the two versions, and counts what comes of it. */
async function askObserved(
  request: InferenceRequest,
  { released: { split, recorders }, role, pipeline }: Asking,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  const version = split[role];
  const recorder = recorders[role];
  try {
    const result = await runInference({ ...request, routed: version }, pipeline, onItem);
    const { manifest } = pipeline.registry.resolve(request.model, version);
    for (const item of result.items) observeItem(item, manifest, recorder);
    return result;
  } catch (thrown) {
    const error = toSluiceError(thrown);
    for (let i = 0; i < request.inputs.length; i++) recorder.recordFailure(error.code);
    throw error;
  }
}

async function askCandidate(
  request: InferenceRequest,
  released: ReleasedModel,
  pipeline: InferencePipeline,
  onItem: ItemListener | undefined,
): Promise<InferenceResult> {
  const asking = { released, role: "candidate", pipeline } as const;
  const isLate = () => pipeline.clock.nowMs() >= request.deadlineMs;
  /** Errors that stable may know better are not told yet. */
  const tell: ItemListener | undefined =
    onItem && ((index, item) => (isOpen(item) ? undefined : onItem(index, item)));
  let result: InferenceResult;
  try {
    result = await askObserved(request, asking, tell);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (!isFault(error.code) || isLate()) throw error;
    return await askObserved(request, { ...asking, role: "stable" }, onItem);
  }
  const open = result.items.flatMap((item, index) => (isOpen(item) ? [index] : []));
  if (open.length === 0) return result;
  const items = [...result.items];
  if (!isLate()) {
    const rest = { ...request, inputs: open.flatMap((index) => request.inputs[index] ?? []) };
    const again = await askObserved(rest, { ...asking, role: "stable" }).catch(() => undefined);
    for (const [at, index] of open.entries()) {
      const item = again?.items[at];
      if (item !== undefined) items[index] = item;
    }
  }
  for (const index of open) {
    const item = items[index];
    if (item !== undefined) onItem?.(index, item);
  }
  return { ...result, items };
}

function isOpen(item: ItemResult): boolean {
  return !item.ok && isFault(item.error.code);
}

/** Only what the version computed by itself says something about it. */
export function observeItem(
  item: ItemResult,
  manifest: TextManifest,
  recorder: ObservationRecorder,
): void {
  if (!item.ok) recorder.recordFailure(item.error.code);
  else if (item.version === manifest.version && item.source !== "cache") {
    recorder.recordAnswer({ latencyMs: item.durationMs, ...readScores(item.prediction, manifest) });
  }
}

/** What the model says by itself, whatever the caller wants to see of it. */
function readScores(prediction: Prediction, manifest: TextManifest) {
  const none = { best: null, confidence: null, all: null };
  if (prediction.kind === "vector" || manifest.problemType === "regression") return none;
  const own = toPrediction(prediction.all.logits, manifest, MODEL_DEFAULTS);
  if (own.kind === "vector") return none;
  const [best] = own.labels;
  return { best: best?.label ?? null, confidence: best?.score ?? null, all: own.all };
}

/** Has the candidate answer what stable has answered, and compares. Nobody waits for it, and nothing comes of its failure. */
function mirror(
  request: InferenceRequest,
  identity: RequestIdentity,
  released: ReleasedModel,
  pipeline: InferencePipeline,
  result: InferenceResult,
): void {
  const { split } = released;
  if (!isMirrored(split, identity.requestId)) return;
  const leave = pipeline.releases.enterMirror();
  if (leave === undefined) return;
  const copy: InferenceRequest = {
    ...request,
    deadlineMs: pipeline.clock.nowMs() + MIRROR_TIMEOUT_MS,
    cancellation: NEVER_CANCELLED,
    flow: MIRROR_FLOW,
    isCopy: true,
  };
  askObserved(copy, { released, role: "candidate", pipeline })
    .then((mirrored) => compare(result, mirrored, released))
    // It is counted among the candidate's failures already.
    .catch((_: SluiceError) => {})
    .finally(leave);
}

function compare(
  stable: InferenceResult,
  candidate: InferenceResult,
  released: ReleasedModel,
): void {
  for (const [index, one] of stable.items.entries()) {
    compareItems(one, candidate.items[index], released);
  }
}

/** The two versions, and where it is counted. */
export interface Compared {
  readonly split: Pick<ReleasedModel["split"], ReleaseRole | "comparisons">;
  readonly recorders: ReleasedModel["recorders"];
}

/** Counts whether both versions say the same of the same text: the best label, or what else they answer with. */
export function compareItems(
  stable: ItemResult,
  candidate: ItemResult | undefined,
  { split, recorders }: Compared,
): void {
  if (!stable.ok || candidate?.ok !== true) return;
  if (stable.version !== split.stable || candidate.version !== split.candidate) return;
  const [a, b] = [stable.prediction, candidate.prediction];
  for (const { metric, tolerance } of split.comparisons) {
    const isAlike = isNear(readValues(a), readValues(b), tolerance);
    const compared = isAlike ? { agreed: 1, disagreed: 0 } : { agreed: 0, disagreed: 1 };
    recorders.candidate.recordOutputs(metric, compared);
  }
  if (a.kind === "vector" || b.kind === "vector") return;
  recorders.candidate.recordAgreement(a.labels[0]?.label ?? null, b.labels[0]?.label ?? null);
}

function readValues(prediction: Prediction): ArrayLike<number> {
  return prediction.kind === "vector" ? prediction.values : prediction.all.scores;
}
