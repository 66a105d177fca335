import type { ProtocolArea } from "../../address-book.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { OPEN_INFERENCE } from "./dialect.ts";
import { createOpenInferenceHealthRoutes } from "./health.ts";
import { createInferRoutes } from "./infer.ts";
import { createMetadataRoutes } from "./metadata.ts";
import { createRepositoryRoutes } from "./repository.ts";
import { createStatisticsRoutes } from "./statistics.ts";

/** Every address of the protocol, also those where nothing answers. */
export const OPEN_INFERENCE_AREA: ProtocolArea = {
  prefix: "/v2",
  encodeError: OPEN_INFERENCE.encodeError,
};

/** The Open Inference Protocol, version 2, and the extensions that Triton added to it. */
export function createOpenInferenceRoutes(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  return [
    ...createInferRoutes(options, inference),
    ...createOpenInferenceHealthRoutes(options),
    ...createMetadataRoutes(options, inference),
    ...createStatisticsRoutes(options),
    ...createRepositoryRoutes(options),
  ];
}
