import type { FastifyRequest } from "fastify";
import type { StoredRelease } from "../../../core/ports/release-store.ts";
import { givesLabels } from "../../../core/releases/gives-labels.ts";
import type { ReleaseCommand } from "../../../core/releases/release-command.ts";
import { decodeCandidate } from "../../../protocols/native/releases/decode-candidate.ts";
import { decodePlan } from "../../../protocols/native/releases/decode-plan.ts";
import { decodeReleaseRange } from "../../../protocols/native/releases/decode-range.ts";
import {
  encodeHistory,
  encodeRelease,
  encodeReleaseList,
} from "../../../protocols/native/releases/encode-release.ts";
import { renderRelease } from "../../../protocols/native/releases/render-release.ts";
import type { Answer } from "../../answer.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions, ReleaseOptions } from "../../gateway-options.ts";
import { assertKeyAllowed } from "../../middleware/allowed-keys.ts";
import type { Route } from "../../route.ts";
import {
  describeCandidate,
  describeCommand,
  describeFind,
  describeHistory,
  describeList,
  describeStart,
} from "./schema.ts";

const COMMANDS = ["pause", "resume", "promote", "rollback"] as const;

/** `/v1/releases` and what is below. */
export function createReleaseRoutes(
  { pipeline }: GatewayOptions,
  releases: ReleaseOptions,
): Route[] {
  const { service } = releases;
  const answer = (status: number, { plan, state, analysis }: StoredRelease): Answer =>
    jsonAnswer(status, encodeRelease(plan, state, analysis));
  return [
    {
      method: "POST",
      path: "/v1/releases",
      access: "caller",
      schema: describeStart(),
      handle: async (request) => {
        const by = assertOperator(request, releases);
        const body = completePlan(request.body, releases);
        const plan = decodePlan(body, (model) => givesLabels(model, pipeline.registry));
        releases.assertHooks(plan.hooks);
        const started = await service.start(plan, by);
        return {
          ...answer(201, started),
          headers: ["location", `/v1/releases/${started.state.id}`],
        };
      },
    },
    {
      method: "GET",
      path: "/v1/releases",
      access: "caller",
      schema: describeList(),
      handle: async ({ query }) => {
        const range = decodeReleaseRange(query as Readonly<Record<string, string>>);
        return jsonAnswer(200, encodeReleaseList(await service.list(range), range.limit));
      },
    },
    {
      method: "GET",
      path: "/v1/releases/:id",
      access: "caller",
      schema: describeFind(),
      handle: async (request) => {
        const release = await service.find(idOf(request));
        if (!prefersText(request)) return answer(200, release);
        const body = renderRelease(release, pipeline.clock.epochMs());
        return { status: 200, contentType: "text/plain; charset=utf-8", body };
      },
    },
    {
      method: "GET",
      path: "/v1/releases/:id/history",
      access: "caller",
      schema: describeHistory(),
      handle: async (request) => {
        const { limit } = decodeReleaseRange(request.query as Readonly<Record<string, string>>);
        return jsonAnswer(200, encodeHistory(await service.history(idOf(request), limit)));
      },
    },
    {
      method: "POST",
      path: "/v1/releases/:id/candidate",
      access: "caller",
      schema: describeCandidate(),
      handle: async (request) => {
        const by = assertOperator(request, releases);
        const candidate = decodeCandidate(request.body);
        const command: ReleaseCommand = { kind: "new_candidate", by, candidate };
        return answer(200, await service.command(idOf(request), command));
      },
    },
    ...COMMANDS.map(
      (kind): Route => ({
        method: "POST",
        path: `/v1/releases/:id/${kind}`,
        access: "caller",
        body: "bytes",
        schema: describeCommand(kind),
        handle: async (request) => {
          const command: ReleaseCommand = { kind, by: assertOperator(request, releases) };
          return answer(200, await service.command(idOf(request), command));
        },
      }),
    ),
  ];
}

/** A table for people: `curl -H 'Accept: text/plain'`. */
function prefersText({ headers }: FastifyRequest): boolean {
  return /^text\/plain\b/.test(headers.accept ?? "");
}

function idOf({ params }: FastifyRequest): string {
  return (params as { readonly id: string }).id;
}

/** @returns the id of the caller. @throws SluiceError `permission_denied` for callers who may only look */
function assertOperator({ context }: FastifyRequest, { operators }: ReleaseOptions): string {
  return assertKeyAllowed(context.caller, operators, "releases.operators");
}

/** What the body leaves out, the model's plan in the configuration says. */
function completePlan(body: unknown, { fieldsOf }: ReleaseOptions): unknown {
  if (typeof body !== "object" || body === null || !("model" in body)) return body;
  return { ...fieldsOf(String(body.model)), ...body };
}
