import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";
import type { VersionStatus } from "../../../core/models/registry.ts";
import type { VersionState } from "../../../core/models/version-state.ts";
import type {
  RepositoryEntry,
  RepositoryState,
} from "../../../protocols/open-inference/repository.ts";
import {
  decodeRepositoryIndex,
  decodeRepositoryLoad,
  decodeRepositoryUnload,
  encodeRepositoryIndex,
} from "../../../protocols/open-inference/repository.ts";
import type { Answer } from "../../answer.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import { bytesOf, describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import { readTarget } from "./read-target.ts";

const STATE: Readonly<Record<VersionState, RepositoryState>> = {
  discovered: "LOADING",
  fetching: "LOADING",
  verifying: "LOADING",
  loading: "LOADING",
  warming: "LOADING",
  ready: "READY",
  draining: "UNLOADING",
  unloaded: "UNAVAILABLE",
  failed: "UNAVAILABLE",
};

/** `POST /v2/repository/index`, and loading and unloading of models where the server allows it. */
export function createRepositoryRoutes(options: GatewayOptions): readonly Route[] {
  const shared = { ...OPEN_INFERENCE, method: "POST", access: "caller" } as const;
  return [
    {
      ...shared,
      path: "/v2/repository/index",
      schema: describeRoute("Every version of every model, with its state"),
      handle: (request) => {
        const { isReadyOnly } = decodeRepositoryIndex(bytesOf(request));
        return jsonAnswer(200, encodeRepositoryIndex(listRepository(options, isReadyOnly)));
      },
    },
    {
      ...shared,
      path: "/v2/repository/models/:model/load",
      schema: describeRoute("Load a model, or load it again"),
      handle: (request) => change(request, options, decodeRepositoryLoad, "load"),
    },
    {
      ...shared,
      path: "/v2/repository/models/:model/unload",
      schema: describeRoute("Unload a model"),
      handle: (request) => change(request, options, decodeRepositoryUnload, "unload"),
    },
  ];
}

async function change(
  request: FastifyRequest,
  options: GatewayOptions,
  decode: (body: Uint8Array) => void,
  action: "load" | "unload",
): Promise<Answer> {
  decode(bytesOf(request));
  await changeModel(options, action, readTarget(request).model);
  return jsonAnswer(200, "{}");
}

/** Loads or unloads a model. @throws SluiceError `permission_denied` where callers may not; see `ModelControl` */
export async function changeModel(
  { control }: GatewayOptions,
  action: "load" | "unload",
  model: string,
): Promise<void> {
  if (control === undefined) {
    const message = `Models are not ${action}ed at a caller's request; the setting models.control decides that.`;
    throw new SluiceError("permission_denied", message);
  }
  await control[action](model);
}

/** Every version, or every ready one, as the index lists them. */
export function listRepository(
  { pipeline }: GatewayOptions,
  isReadyOnly: boolean,
): readonly RepositoryEntry[] {
  const entries = pipeline.registry.list().map(toEntry);
  return isReadyOnly ? entries.filter(({ state }) => state === "READY") : entries;
}

function toEntry({ model, version, state, reason }: VersionStatus): RepositoryEntry {
  return { name: model, version, state: STATE[state], reason: reason ?? "" };
}
