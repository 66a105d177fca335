import type { FastifyRequest } from "fastify";
import { decodeFeedback } from "../../../protocols/native/feedback/decode-feedback.ts";
import {
  decodeCollect,
  decodeFeedbackQuery,
  decodeGateSet,
  decodeGateSetName,
} from "../../../protocols/native/feedback/decode-gate-set.ts";
import {
  encodeAccuracy,
  encodeFeedback,
  encodeGateLines,
  encodeGateSet,
  encodeGateSets,
  encodeGateTexts,
} from "../../../protocols/native/feedback/encode-feedback.ts";
import { jsonAnswer } from "../../answer.ts";
import type { FeedbackOptions, GatewayOptions } from "../../gateway-options.ts";
import { assertKeyAllowed } from "../../middleware/allowed-keys.ts";
import type { Route } from "../../route.ts";
import { describe, FEEDBACK_ANSWERS, FEEDBACK_BODIES } from "./schema.ts";

/** `/v1/feedback`, `/v1/gate-sets` and what is below. */
export function createFeedbackRoutes(
  { limits, server }: GatewayOptions,
  feedback: FeedbackOptions,
): Route[] {
  const { service, gates } = feedback;
  return [
    {
      method: "POST",
      path: "/v1/feedback",
      access: "caller",
      schema: describe({
        summary: "Say what was right",
        description:
          "About an answer of a moment ago. Said again about the same answer, it replaces what was said before.",
        body: FEEDBACK_BODIES.feedback,
        status: 201,
        answer: FEEDBACK_ANSWERS.feedback,
      }),
      handle: async (request) => {
        const by = assertMay(request, feedback);
        const given = { ...decodeFeedback(request.body, limits), by };
        return jsonAnswer(201, encodeFeedback(await service.give(given)));
      },
    },
    {
      method: "GET",
      path: "/v1/feedback",
      access: "caller",
      schema: describe({
        summary: "How often versions were right",
        description: "Parameters `model` and `since`, a time; of the answers that had feedback.",
        answer: FEEDBACK_ANSWERS.accuracy,
      }),
      handle: async ({ query }) => {
        const { model, sinceMs } = decodeFeedbackQuery(query as Readonly<Record<string, string>>);
        return jsonAnswer(200, encodeAccuracy(model, await service.count(model, sinceMs)));
      },
    },
    {
      method: "GET",
      path: "/v1/gate-sets",
      access: "caller",
      schema: describe({
        summary: "List gate sets",
        description: "Sets of labelled texts that versions are asked before they go live.",
        answer: FEEDBACK_ANSWERS.gateSets,
      }),
      handle: async () => jsonAnswer(200, encodeGateSets(await gates.list())),
    },
    {
      method: "PUT",
      path: "/v1/gate-sets/:name",
      access: "caller",
      maxBodyBytes: server.maxTensorBodyBytes,
      schema: describe({
        summary: "Make a gate set",
        description: "Or replace it as a whole. At most 10,000 texts, kept as they are sent.",
        body: FEEDBACK_BODIES.gateSet,
        answer: FEEDBACK_ANSWERS.gateSet,
      }),
      handle: async (request) => {
        assertMay(request, feedback);
        const name = nameOf(request);
        return jsonAnswer(
          200,
          encodeGateSet(await gates.put(name, decodeGateSet(request.body, limits))),
        );
      },
    },
    {
      method: "GET",
      path: "/v1/gate-sets/:name",
      access: "caller",
      schema: describe({
        summary: "Read a gate set",
        description: "With `Accept: application/x-ndjson` one text a line.",
        answer: FEEDBACK_ANSWERS.gateTexts,
      }),
      handle: async (request) => {
        const texts = await gates.read(nameOf(request));
        if (!/\bndjson\b/.test(request.headers.accept ?? "")) {
          return jsonAnswer(200, encodeGateTexts(texts));
        }
        const contentType = "application/x-ndjson; charset=utf-8";
        return { status: 200, contentType, body: encodeGateLines(texts) };
      },
    },
    {
      method: "DELETE",
      path: "/v1/gate-sets/:name",
      access: "caller",
      body: "bytes",
      schema: describe({
        summary: "Remove a gate set",
        description: "A release that wants it comes to no verdict.",
        status: 204,
        answer: FEEDBACK_ANSWERS.removed,
      }),
      handle: async (request) => {
        assertMay(request, feedback);
        await gates.remove(nameOf(request));
        return { status: 204, contentType: "", body: "" };
      },
    },
    {
      method: "POST",
      path: "/v1/gate-sets/:name/collect",
      access: "caller",
      schema: describe({
        summary: "Make a gate set of feedback",
        description: "Of the newest feedback whose texts are known.",
        body: FEEDBACK_BODIES.collect,
        answer: FEEDBACK_ANSWERS.gateSet,
      }),
      handle: async (request) => {
        assertMay(request, feedback);
        const name = nameOf(request);
        return jsonAnswer(
          200,
          encodeGateSet(await gates.collect(name, decodeCollect(request.body))),
        );
      },
    },
  ];
}

function nameOf({ params }: FastifyRequest): string {
  return decodeGateSetName((params as { readonly name: string }).name);
}

/** @returns the id of the caller. @throws SluiceError `permission_denied` for callers who may only look */
function assertMay({ context }: FastifyRequest, { keys }: FeedbackOptions): string {
  return assertKeyAllowed(context.caller, keys, "feedback.keys");
}
