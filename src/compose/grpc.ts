import type { GatewayOptions } from "../gateway/gateway-options.ts";
import { createGrpcMethods } from "../gateway/grpc/methods.ts";
import type { GrpcServer } from "../gateway/grpc-server.ts";
import { createGrpcServer } from "../gateway/grpc-server.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The part of the composition root that only gRPC needs; its libraries take a while to load. */

/** Builds the gRPC server in front of what the HTTP server stands in front of. */
export function createRpcServer(options: GatewayOptions, metrics: Metrics): GrpcServer {
  const { pipeline, limits, server, authenticate, limitRate, assertKeepingUp, logger } = options;
  return createGrpcServer({
    methods: createGrpcMethods(options),
    limits,
    maxMessageBytes: server.maxTensorBodyBytes,
    clock: pipeline.clock,
    authenticate,
    limitRate,
    assertKeepingUp,
    answered: (path, status, durationMs) => metrics.grpcAnswered(path, status, durationMs),
    logger,
  });
}
