import type { InferenceRequest } from "../inference/request.ts";
import type { InferenceResult } from "../inference/result.ts";
import type { InferencePipeline, ItemListener } from "../inference/run-inference.ts";
import { runInference } from "../inference/run-inference.ts";
import { answerReleased } from "./answer-released.ts";

/**
 * Answers texts by one model: by its release where one is under way and no version is named.
 *
 * @throws SluiceError as `runInference`
 */
export function answerModel(
  request: InferenceRequest,
  pipeline: InferencePipeline,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  const released =
    request.version === undefined ? pipeline.releases.find(request.model) : undefined;
  if (released === undefined) return runInference(request, pipeline, onItem);
  return answerReleased(request, released, pipeline, onItem);
}
