import type { GatewayOptions } from "../gateway-options.ts";
import type { GrpcMethod } from "../grpc-method.ts";

/** Every method of every gRPC service. */
export function createGrpcMethods(_options: GatewayOptions): readonly GrpcMethod[] {
  return [];
}
