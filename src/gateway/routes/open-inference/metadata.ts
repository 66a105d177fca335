import { SluiceError } from "../../../core/errors.ts";
import type { InferencePipeline } from "../../../core/inference/run-inference.ts";
import type { AskableModel } from "../../../core/tensors/ask-model.ts";
import { encodeConfig } from "../../../protocols/open-inference/encode-config.ts";
import {
  encodeModelMetadata,
  encodeServerMetadata,
} from "../../../protocols/open-inference/encode-metadata.ts";
import { encodeModelProperties } from "../../../protocols/open-inference/model-properties.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import { readTarget, toTargetPaths } from "./read-target.ts";

export const SERVER_NAME = "sluice";

/** `GET /v2`, `GET /v2/models/<model>` and its `/config`. */
export function createMetadataRoutes(
  { version, pipeline }: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  const shared = { ...OPEN_INFERENCE, method: "GET", access: "caller" } as const;
  const server: Route = {
    ...shared,
    path: "/v2",
    schema: describeRoute("This server and the extensions that it speaks"),
    handle: () => jsonAnswer(200, encodeServerMetadata(SERVER_NAME, version)),
  };
  const models = toTargetPaths("").map(
    (path): Route => ({
      ...shared,
      path,
      schema: describeRoute("What a model reads and answers"),
      handle: (request) => {
        const target = readTarget(request);
        const askable = inference.findAskable(target.model, target.version, "open-inference");
        const body = encodeModelMetadata({
          name: askable.model,
          versions: listReadyVersions(pipeline, askable.model),
          signature: askable.signature,
          properties: propertiesOf(askable),
        });
        return jsonAnswer(200, body);
      },
    }),
  );
  const configs = toTargetPaths("/config").map(
    (path): Route => ({
      ...shared,
      path,
      schema: describeRoute("The same in the words of Triton's model configuration"),
      handle: (request) => {
        const { model, version } = readTarget(request);
        const askable = inference.findAskable(model, version, "open-inference");
        const body = encodeConfig(askable.model, askable.signature, propertiesOf(askable));
        return jsonAnswer(200, body);
      },
    }),
  );
  return [server, ...models, ...configs];
}

/** Versions of a model that can be asked. */
export function listReadyVersions(
  { registry }: Pick<InferencePipeline, "registry">,
  wanted: string,
): readonly string[] {
  const ready = registry.list().filter(({ model, state }) => model === wanted && state === "ready");
  return ready.map(({ version }) => version);
}

/** What is known of a model beside its signature. */
function propertiesOf({ model, texts, tensors }: AskableModel): Readonly<Record<string, string>> {
  const version = texts ?? tensors;
  if (version === undefined) throw new SluiceError("internal", `${model} has no manifest.`);
  const { manifest, digest } = version;
  return encodeModelProperties({ manifest, digest, readsPairs: texts?.readsPairs ?? false });
}
