import { encodeStatistics } from "../../../protocols/open-inference/encode-statistics.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import { describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import type { Target } from "./read-target.ts";
import { readTarget, toTargetPaths } from "./read-target.ts";

/** `GET /v2/models/stats` and `GET /v2/models/<model>/stats`: what versions did in this process since they were loaded. */
export function createStatisticsRoutes(options: GatewayOptions): readonly Route[] {
  const shared = {
    ...OPEN_INFERENCE,
    method: "GET",
    access: "caller",
    schema: describeRoute("What was asked and how long it took"),
  } as const;
  const models = toTargetPaths("/stats").map(
    (path): Route => ({
      ...shared,
      path,
      handle: (request) => {
        const target = readTarget(request);
        // Unknown and unready ones are errors here, as everywhere.
        options.pipeline.registry.resolveAny(target.model, target.version);
        return jsonAnswer(200, encodeStatistics(readStatistics(options, target)));
      },
    }),
  );
  const all: Route = {
    ...shared,
    path: "/v2/models/stats",
    handle: () => jsonAnswer(200, encodeStatistics(readStatistics(options, undefined))),
  };
  return [all, ...models];
}

/** A model without a version means all of its versions, as no model means all models. */
export function readStatistics({ pipeline }: GatewayOptions, target: Target | undefined) {
  const wanted = pipeline.registry
    .list()
    .filter(({ model }) => target === undefined || model === target.model)
    .filter(({ version }) => target?.version === undefined || version === target.version);
  return wanted.flatMap(({ model, version, serving, tensors }) => {
    const statistics = (serving ?? tensors)?.observer.snapshot();
    return statistics === undefined ? [] : [{ name: model, version, statistics }];
  });
}
