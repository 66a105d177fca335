import type { InferenceRequest } from "../inference/request.ts";
import type { InferenceResult } from "../inference/result.ts";
import type { InferencePipeline, ItemListener } from "../inference/run-inference.ts";
import { answerModel } from "../releases/answer-model.ts";
import { runGraph } from "./run-graph.ts";

/**
 * Answers the texts of one request, whether it names a model or a graph, and by a release where one is under way. This is the way
 * in for everybody who has texts.
 *
 * @throws SluiceError as `runInference` and `runGraph`
 */
export function answerTexts(
  request: InferenceRequest,
  pipeline: InferencePipeline,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  const graph = pipeline.graphs.get(request.model);
  if (graph !== undefined) return runGraph(graph, request, pipeline, onItem);
  return answerModel(request, pipeline, onItem);
}
