import { invalidField } from "../invalid-field.ts";
import { nameOf } from "../native/field-reader.ts";
import type { JsonObject } from "./parse-json-part.ts";
import { isJsonObject, parseJsonPart } from "./parse-json-part.ts";
import { readParameters } from "./read-wire-tensors.ts";
import { toRemoteProblem } from "./remote-problem.ts";

/** Requests about the repository are small and flat. */
const MAX_JSON_DEPTH = 16;

/** The states that the repository's index knows. */
export type RepositoryState = "READY" | "UNAVAILABLE" | "LOADING" | "UNLOADING";

/** One version of a model in the repository. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly state: RepositoryState;
  /** Why it is not ready; empty where there is nothing to say. */
  readonly reason: string;
}

/**
 * Body of the answer of `POST /v2/repository/index`: a list.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
 */
export function encodeRepositoryIndex(entries: readonly RepositoryEntry[]): string {
  return JSON.stringify(
    entries.map(({ name, version, state, reason }) => ({ name, version, state, reason })),
  );
}

/** An entry of another server's index. */
export interface IndexedVersion {
  readonly name: string;
  readonly version: string;
  readonly state: string;
}

/**
 * Decodes the answer of `POST /v2/repository/index` of another server. Entries without a name are left out.
 *
 * @throws SluiceError `unavailable` when it is no such answer
 */
export function decodeIndexAnswer(body: Uint8Array): readonly IndexedVersion[] {
  return toRemoteProblem(() => {
    const value = parseJsonText(body);
    if (!Array.isArray(value)) throw invalidField("body", `must be a list; found ${nameOf(value)}`);
    return value.flatMap((entry: unknown) => {
      if (!isJsonObject(entry)) return [];
      const { name, version = "", state = "" } = entry;
      if (typeof name !== "string" || name === "") return [];
      return [{ name, version: String(version), state: String(state) }];
    });
  });
}

function parseJsonText(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw invalidField("body", "must be JSON");
  }
}

/**
 * Decodes the body of `POST /v2/repository/index`, which may be empty.
 *
 * @returns whether only versions that are ready are asked for
 * @throws SluiceError `invalid_argument`
 */
export function decodeRepositoryIndex(body: Uint8Array): { readonly isReadyOnly: boolean } {
  const ready = parseOptional(body)["ready"] ?? false;
  if (typeof ready === "boolean") return { isReadyOnly: ready };
  throw invalidField("ready", `must be true or false; found ${nameOf(ready)}`);
}

/**
 * Decodes the body of `POST /v2/repository/models/<model>/load`, which may be empty. Models come from the server's own
 * folder alone.
 *
 * @throws SluiceError `invalid_argument` when it carries a configuration or files of a model
 */
export function decodeRepositoryLoad(body: Uint8Array): void {
  const parameters = readParameters(parseOptional(body)["parameters"], "parameters");
  for (const name of Object.keys(parameters)) {
    if (name !== "config" && !name.startsWith("file:")) continue;
    const problem = "is not supported: models are loaded as they lie in the server's folder";
    throw invalidField(`parameters.${name === "config" ? name : "file"}`, problem);
  }
}

/**
 * Decodes the body of `POST /v2/repository/models/<model>/unload`, which may be empty. `unload_dependents` is taken and
 * means nothing: no model depends on another.
 *
 * @throws SluiceError `invalid_argument`
 */
export function decodeRepositoryUnload(body: Uint8Array): void {
  const parameters = readParameters(parseOptional(body)["parameters"], "parameters");
  const value = parameters["unload_dependents"] ?? false;
  if (typeof value === "boolean") return;
  const problem = `must be true or false; found ${nameOf(value)}`;
  throw invalidField("parameters.unload_dependents", problem);
}

function parseOptional(body: Uint8Array): JsonObject {
  return body.byteLength === 0 ? {} : parseJsonPart(body, MAX_JSON_DEPTH).fields;
}
