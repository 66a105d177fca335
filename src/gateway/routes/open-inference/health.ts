import { SluiceError } from "../../../core/errors.ts";
import { resolveNamed } from "../../../core/graphs/resolve-named.ts";
import { encodeHealth, encodeModelReady } from "../../../protocols/open-inference/encode-health.ts";
import type { Answer } from "../../answer.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import { isServing } from "../health.ts";
import { describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import type { Target } from "./read-target.ts";
import { readTarget, toTargetPaths } from "./read-target.ts";

const NOT_READY = 503;

/** `/v2/health/live`, `/v2/health/ready`, and whether a model is ready. */
export function createOpenInferenceHealthRoutes(options: GatewayOptions): readonly Route[] {
  const server = { ...OPEN_INFERENCE, method: "GET", access: "public" } as const;
  return [
    {
      ...server,
      path: "/v2/health/live",
      schema: describeRoute("Whether this process runs"),
      handle: () => jsonAnswer(200, encodeHealth(isServing(options))),
    },
    {
      ...server,
      path: "/v2/health/ready",
      schema: describeRoute("Whether this process can serve"),
      handle: () => {
        const isReady = isServing(options);
        return jsonAnswer(isReady ? 200 : NOT_READY, encodeHealth(isReady));
      },
    },
    ...toTargetPaths("/ready").map(
      (path): Route => ({
        ...server,
        access: "caller",
        path,
        schema: describeRoute("Whether a model can be asked"),
        handle: (request) => answerModelReady(options, readTarget(request)),
      }),
    ),
  ];
}

function answerModelReady({ pipeline }: GatewayOptions, { model, version }: Target): Answer {
  try {
    resolveNamed(pipeline, model, version);
    return jsonAnswer(200, encodeModelReady(model, true));
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "unavailable") throw thrown;
    return jsonAnswer(NOT_READY, encodeModelReady(model, false));
  }
}
