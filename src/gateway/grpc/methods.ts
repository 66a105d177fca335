import { Health } from "../../generated/grpc_health_pb.ts";
import { GRPCInferenceService } from "../../generated/open_inference_pb.ts";
import { ModelService, PredictionService } from "../../generated/tensorflow_serving_pb.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { GrpcMethod } from "../grpc-method.ts";
import { createInferenceCaller } from "../routes/inference.ts";
import { createHealthMethods } from "./health.ts";
import { createOpenInferenceMethods } from "./open-inference.ts";
import { createTensorFlowServingMethods } from "./tensorflow-serving.ts";

/** Every method of every gRPC service. */
export function createGrpcMethods(options: GatewayOptions): readonly GrpcMethod[] {
  const inference = createInferenceCaller(options);
  const services = [GRPCInferenceService, PredictionService, ModelService, Health];
  return [
    ...createTensorFlowServingMethods(options, inference),
    ...createOpenInferenceMethods(options, inference),
    ...createHealthMethods(
      options,
      services.map(({ typeName }) => typeName),
    ),
  ];
}
