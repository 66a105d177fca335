import type { FastifyRequest } from "fastify";
import type { AskableModel } from "../../../core/tensors/ask-model.ts";
import { decodeExamples } from "../../../protocols/tensorflow-serving/decode-examples.ts";
import { decodePredict } from "../../../protocols/tensorflow-serving/decode-predict.ts";
import { encodePredict } from "../../../protocols/tensorflow-serving/encode-predict.ts";
import {
  encodeClassifications,
  encodeRegressions,
} from "../../../protocols/tensorflow-serving/encode-results.ts";
import {
  toClassifications,
  toRegressions,
} from "../../../protocols/tensorflow-serving/example-answers.ts";
import { toExampleTensors } from "../../../protocols/tensorflow-serving/example-tensors.ts";
import type {
  InferenceVerb,
  PathTarget,
} from "../../../protocols/tensorflow-serving/model-path.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { InferenceCaller } from "../inference.ts";
import { findTargetVersion } from "./find-version.ts";

const NOTHING = new Uint8Array(0);

/** Answers `:predict`, `:classify` and `:regress`. @returns the body of the answer */
export async function answerVerb(
  request: FastifyRequest,
  { verb, target }: { readonly verb: InferenceVerb; readonly target: PathTarget },
  options: GatewayOptions,
  inference: InferenceCaller,
): Promise<string> {
  const version = findTargetVersion(options, target);
  const askable = inference.findAskable(target.model, version, "tensorflow-serving");
  const body = request.body instanceof Uint8Array ? request.body : NOTHING;
  if (verb === "predict") return await predict(request, body, askable, options, inference);
  const examples = decodeExamples(body, options.server.maxJsonDepth);
  const inputs = toExampleTensors(examples, askable.signature);
  const call = inference.callOf(request);
  const { outputs } = await inference.ask(call, askable, {
    inputs,
    outputs: undefined,
    lane: "online",
  });
  return verb === "classify"
    ? encodeClassifications(toClassifications(outputs))
    : encodeRegressions(toRegressions(outputs));
}

async function predict(
  request: FastifyRequest,
  body: Uint8Array,
  askable: AskableModel,
  { server, protocols }: GatewayOptions,
  inference: InferenceCaller,
): Promise<string> {
  const { kserveModels, strictJson } = protocols.tensorflowServing;
  const inputsAreRows = kserveModels.includes(askable.model);
  const { maxJsonDepth: maxDepth } = server;
  const { form, inputs, rows } = decodePredict(body, askable.signature, {
    maxDepth,
    inputsAreRows,
  });
  const call = inference.callOf(request);
  const { outputs } = await inference.ask(call, askable, {
    inputs,
    outputs: undefined,
    lane: "online",
  });
  return encodePredict(outputs, { form, rows, strictJson });
}
