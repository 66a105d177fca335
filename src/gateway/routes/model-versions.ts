import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../core/errors.ts";
import type { ChoiceService } from "../../core/models/choice-service.ts";
import type { ModelControl } from "../../core/models/model-control.ts";
import { FieldReader } from "../../protocols/native/field-reader.ts";
import { errorResponseSchema } from "../../protocols/native/schema.ts";
import type { Answer } from "../answer.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import { assertKeyAllowed } from "../middleware/allowed-keys.ts";
import type { Route } from "../route.ts";
import { toWire } from "./models.ts";

interface Target {
  readonly model: string;
  readonly version: string;
  readonly label: string;
}

const RESPONSES = {
  200: { description: "The versions of the model afterwards, as in `GET /models`." },
  400: { description: "The request is wrong; `details` names the fields.", ...errorResponseSchema },
  403: {
    description: "Callers may not; see models.control and models.operators.",
    ...errorResponseSchema,
  },
  404: { description: "There is no such model, version or label.", ...errorResponseSchema },
  409: { description: "The version is not ready, or a release decides.", ...errorResponseSchema },
  503: { description: "The version cannot be loaded, and why.", ...errorResponseSchema },
};

const VERSION_BODY = {
  type: "object",
  required: ["version"],
  properties: { version: { type: "string", description: "Such as `1.2.0`." } },
};

/** `/models/{model}` and what is below: its versions, and what may be done about them. */
export function createModelVersionRoutes(options: GatewayOptions): Route[] {
  const { registry } = options.pipeline;
  const show = (model: string): Answer => {
    registry.assertKnown(model);
    const versions = registry.list().filter((one) => one.model === model);
    return jsonAnswer(
      200,
      JSON.stringify({ models: versions.map((one) => toWire(one, registry)) }),
    );
  };
  const change = (
    method: Route["method"],
    path: string,
    summary: string,
    act: (target: Target, request: FastifyRequest) => Promise<void>,
  ): Route => ({
    ...{ method, path, access: "caller" },
    ...(method !== "PUT" && { body: "bytes" as const }),
    schema: {
      ...{ summary, tags: ["models"], security: [{}, { apiKey: [] }], response: RESPONSES },
      ...(method === "PUT" && { body: VERSION_BODY }),
    },
    handle: async (request) => {
      assertKeyAllowed(request.context.caller, options.modelOperators, "models.operators");
      const target = request.params as Target;
      await act(target, request);
      return show(target.model);
    },
  });
  const control = () => options.control ?? notControlled();
  const choices = () => (options.control === undefined ? notControlled() : choicesOf(options));
  return [
    {
      method: "GET",
      path: "/models/:model",
      access: "caller",
      schema: {
        summary: "Versions of one model",
        tags: ["models"],
        security: [{}, { apiKey: [] }],
        response: { 200: RESPONSES[200], 404: RESPONSES[404] },
      },
      handle: ({ params }) => show((params as Target).model),
    },
    change("POST", "/models/:model/versions/:version/load", "Load a version", (target) =>
      load(control(), target),
    ),
    change("POST", "/models/:model/versions/:version/unload", "Unload a version", (target) =>
      control().unloadVersion(target.model, target.version),
    ),
    change("PUT", "/models/:model/pin", "Have a version answer who names none", (target, request) =>
      choices().pin(target.model, readVersion(request)),
    ),
    change("DELETE", "/models/:model/pin", "Have the configured version answer", ({ model }) =>
      choices().unpin(model),
    ),
    change("PUT", "/models/:model/labels/:label", "Give a version a label", (target, request) =>
      choices().label(target.model, target.label, readVersion(request)),
    ),
    change("DELETE", "/models/:model/labels/:label", "Take a label away", ({ model, label }) =>
      choices().unlabel(model, label),
    ),
  ];
}

/** A version that cannot be loaded is no fault of the request. */
async function load(
  control: Pick<ModelControl, "loadVersion">,
  { model, version }: Target,
): Promise<void> {
  try {
    await control.loadVersion(model, version);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "invalid_argument") throw thrown;
    const message = `${model} ${version} cannot be loaded: ${thrown.message}`;
    throw new SluiceError("unavailable", message, { cause: thrown });
  }
}

function readVersion({ body }: FastifyRequest): string {
  const read = new FieldReader(body);
  read.refuseUnknown(["version"]);
  const version = read.text("version", read.fields["version"]);
  read.assertNoProblems();
  return version;
}

function choicesOf({ choices }: GatewayOptions): ChoiceService {
  if (choices !== undefined) return choices;
  throw new SluiceError("permission_denied", "Another process decides which version answers.");
}

function notControlled(): never {
  const message =
    "Models are not changed at a caller's request; set models.control to explicit to allow it.";
  throw new SluiceError("permission_denied", message);
}
