import { SluiceError, toSluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import type { AskableModel } from "../../core/tensors/ask-model.ts";
import { ModelService, PredictionService } from "../../generated/tensorflow_serving_pb.ts";
import { toModelInputs } from "../../protocols/open-inference/decode-infer.ts";
import { DEFAULT_SIGNATURE } from "../../protocols/tensorflow-serving/decode-predict.ts";
import { toTensorFlowState } from "../../protocols/tensorflow-serving/encode-status.ts";
import {
  toClassifications,
  toRegressions,
} from "../../protocols/tensorflow-serving/example-answers.ts";
import type { Examples } from "../../protocols/tensorflow-serving/example-tensors.ts";
import { toExampleTensors } from "../../protocols/tensorflow-serving/example-tensors.ts";
import {
  decodeExampleRequest,
  encodeClassificationResponse,
  encodeRegressionResponse,
} from "../../protocols/tensorflow-serving/grpc/classify.ts";
import {
  decodeMetadataRequest,
  encodeMetadataResponse,
} from "../../protocols/tensorflow-serving/grpc/model-metadata.ts";
import type {
  DecodedModelSpec,
  ModelSpecInit,
} from "../../protocols/tensorflow-serving/grpc/model-spec.ts";
import {
  decodeStatusRequest,
  encodeStatusResponse,
} from "../../protocols/tensorflow-serving/grpc/model-status.ts";
import {
  decodeMultiInference,
  encodeMultiInference,
} from "../../protocols/tensorflow-serving/grpc/multi-inference.ts";
import {
  decodePredictRequest,
  encodePredictResponse,
} from "../../protocols/tensorflow-serving/grpc/predict.ts";
import {
  decodeReloadConfig,
  encodeReloadConfigResponse,
} from "../../protocols/tensorflow-serving/grpc/reload-config.ts";
import { malformed } from "../../protocols/tensorflow-serving/malformed.ts";
import { toVersionNumber } from "../../protocols/tensorflow-serving/version-number.ts";
import type { Call } from "../call.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { GrpcMethod } from "../grpc-method.ts";
import type { InferenceCaller } from "../routes/inference.ts";
import { changeModel } from "../routes/open-inference/repository.ts";
import { findListedVersion, findTargetVersion } from "../routes/tensorflow-serving/find-version.ts";
import { unaryMethod } from "./protobuf-method.ts";

const PREDICT_METHOD = "tensorflow/serving/predict";

/** `tensorflow.serving.PredictionService` and `ModelService`. */
export function createTensorFlowServingMethods(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly GrpcMethod[] {
  return [...createPredictionMethods(options, inference), ...createModelMethods(options)];
}

/** A model that was asked for, and how an answer names it. */
interface Found {
  readonly askable: AskableModel;
  readonly spec: ModelSpecInit;
}

/** @throws SluiceError `not_found`, `invalid_argument` in TensorFlow Serving's words; `unavailable` */
function find(
  options: GatewayOptions,
  inference: InferenceCaller,
  wanted: DecodedModelSpec,
): Found {
  const { model, signatureName = DEFAULT_SIGNATURE } = wanted;
  const version = findTargetVersion(options, wanted);
  const askable = inference.findAskable(model, version, "tensorflow-serving");
  const number = toVersionNumber(askable.version)?.toString();
  return { askable, spec: { model, version: number, signatureName } };
}

/**
 * Models have one signature. Classes and numbers are asked for by the names that an exporter gave to theirs, so the
 * name matters to `Predict` alone.
 */
function assertDefaultSignature({ signatureName = DEFAULT_SIGNATURE }: DecodedModelSpec): void {
  if (signatureName === DEFAULT_SIGNATURE) return;
  const shown = signatureName.slice(0, 64);
  throw malformed(
    `Serving signature name: "${shown}" not found in signature def`,
    "model_spec.signature_name",
  );
}

function createPredictionMethods(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly GrpcMethod[] {
  const { method } = PredictionService;
  const ask = async (
    call: Call,
    { askable }: Found,
    inputs: readonly Tensor[],
    outputs?: readonly string[],
  ): Promise<readonly Tensor[]> => {
    const answer = await inference.ask(call, askable, { inputs, outputs, lane: "online" });
    return answer.outputs;
  };
  const askExamples = (call: Call, found: Found, examples: Examples) =>
    ask(call, found, toExampleTensors(examples, found.askable.signature));
  return [
    unaryMethod(method.predict, "caller", async (message, call) => {
      const decoded = decodePredictRequest(message);
      const found = find(options, inference, decoded);
      assertDefaultSignature(decoded);
      const inputs = toModelInputs(decoded.inputs, found.askable.signature);
      const outputs = await ask(call, found, inputs, decoded.outputs);
      return encodePredictResponse({ ...found.spec, outputs });
    }),
    unaryMethod(method.classify, "caller", async (message, call) => {
      const decoded = decodeExampleRequest(message);
      const found = find(options, inference, decoded);
      const outputs = await askExamples(call, found, decoded);
      return encodeClassificationResponse(found.spec, toClassifications(outputs));
    }),
    unaryMethod(method.regress, "caller", async (message, call) => {
      const decoded = decodeExampleRequest(message);
      const found = find(options, inference, decoded);
      const outputs = await askExamples(call, found, decoded);
      return encodeRegressionResponse(found.spec, toRegressions(outputs));
    }),
    unaryMethod(method.multiInference, "caller", async (message, call) => {
      const { tasks, ...examples } = decodeMultiInference(message);
      const answers = tasks.map(async (task) => {
        const found = find(options, inference, task);
        const outputs = await askExamples(call, found, examples);
        return task.method === "classify"
          ? { ...found.spec, classifications: toClassifications(outputs) }
          : { ...found.spec, regressions: toRegressions(outputs) };
      });
      return encodeMultiInference(await Promise.all(answers));
    }),
    unaryMethod(method.getModelMetadata, "caller", (message) => {
      const { askable, spec } = find(options, inference, decodeMetadataRequest(message));
      const named = { signatureName: DEFAULT_SIGNATURE, methodName: PREDICT_METHOD };
      return encodeMetadataResponse(spec, [{ ...named, ...askable.signature }]);
    }),
  ];
}

function createModelMethods(options: GatewayOptions): readonly GrpcMethod[] {
  const { method } = ModelService;
  const { registry } = options.pipeline;
  return [
    unaryMethod(method.getModelStatus, "caller", (message) => {
      const wanted = decodeStatusRequest(message);
      const versions = registry.list().filter(({ model }) => model === wanted.model);
      if (versions.length === 0) {
        const text = `Could not find any versions of model ${wanted.model}`;
        throw new SluiceError("not_found", text);
      }
      const isNamed = wanted.version !== undefined || wanted.label !== undefined;
      const one = isNamed ? findListedVersion(options, wanted) : undefined;
      const listed = versions.filter(({ version }) => one === undefined || version === one);
      return encodeStatusResponse(
        listed.toReversed().flatMap(({ version, state, reason }) => {
          const number = toVersionNumber(version);
          if (number === undefined) return [];
          const error =
            reason === undefined ? {} : { error: new SluiceError("unavailable", reason) };
          return [{ version: number, state: toTensorFlowState(state), ...error }];
        }),
      );
    }),
    unaryMethod(method.handleReloadConfigRequest, "caller", async (message) => {
      const { models } = decodeReloadConfig(message);
      const wanted = new Set(models.map(({ name }) => name));
      try {
        for (const name of wanted) await changeModel(options, "load", name);
        const ready = registry.list().filter(({ state }) => state === "ready");
        const surplus = new Set(
          ready.map(({ model }) => model).filter((name) => !wanted.has(name)),
        );
        for (const name of surplus) await changeModel(options, "unload", name);
        return encodeReloadConfigResponse(undefined);
      } catch (thrown) {
        const error = toSluiceError(thrown);
        // That callers may not is the call's failure; that a model would not load is what it answers.
        if (error.code === "permission_denied" || error.code === "internal") throw error;
        return encodeReloadConfigResponse(error);
      }
    }),
  ];
}
