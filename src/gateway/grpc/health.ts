import { create, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import type { Cancellation } from "../../core/ports/cancellation.ts";
import type { Clock } from "../../core/ports/clock.ts";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../generated/grpc_health_pb.ts";
import { createMessageDecoder } from "../../protocols/message-decoder.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { GrpcMethod } from "../grpc-method.ts";
import { isServing } from "../routes/health.ts";
import { pathOf, unaryMethod } from "./protobuf-method.ts";

/** How often a watched status is looked at. */
const WATCH_MS = 500;

/**
 * `grpc.health.v1.Health`, which Kubernetes and load balancers ask. The empty name stands for the whole server, as do
 * those of `services`.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function createHealthMethods(
  options: GatewayOptions,
  services: readonly string[],
): readonly GrpcMethod[] {
  const knows = (service: string) => service === "" || services.includes(service);
  const statusOf = (service: string) => {
    if (!knows(service)) return Status.SERVICE_UNKNOWN;
    return isServing(options) ? Status.SERVING : Status.NOT_SERVING;
  };
  const decode = createMessageDecoder(HealthCheckRequestSchema);
  return [
    unaryMethod(Health.method.check, "public", ({ service }) => {
      if (!knows(service)) {
        throw new SluiceError(
          "not_found",
          `There is no such service; the empty name is all of them.`,
        );
      }
      return create(HealthCheckResponseSchema, { status: statusOf(service) });
    }),
    {
      kind: "watch",
      path: pathOf(Health.method.watch),
      access: "public",
      handle: async function* (bytes, { cancellation }) {
        const { service } = decode(bytes);
        let told: Status | undefined;
        while (!cancellation.cancelled) {
          const status = statusOf(service);
          if (status !== told) {
            told = status;
            yield toBinary(
              HealthCheckResponseSchema,
              create(HealthCheckResponseSchema, { status }),
            );
          }
          await sleep(WATCH_MS, options.pipeline.clock, cancellation);
        }
      },
    },
  ];
}

function sleep(ms: number, clock: Clock, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = cancellation.onCancel(() => {
      stop();
      resolve();
    });
    const stop = clock.setTimer(ms, () => {
      unsubscribe();
      resolve();
    });
  });
}
