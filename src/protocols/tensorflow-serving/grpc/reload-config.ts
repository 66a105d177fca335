import { create } from "@bufbuild/protobuf";
import type { SluiceError } from "../../../core/errors.ts";
import type {
  ModelConfig,
  ReloadConfigRequest,
  ReloadConfigResponse,
} from "../../../generated/tensorflow_serving_pb.ts";
import { ReloadConfigResponseSchema } from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField } from "../../invalid-field.ts";
import { toStatusProto } from "./model-status.ts";

/** Which versions of a model are to be served. */
export type VersionPolicy =
  | { readonly kind: "latest"; readonly count: number }
  | { readonly kind: "all" }
  | { readonly kind: "specific"; readonly versions: readonly bigint[] };

/** A model as the configuration of TensorFlow Serving names it. */
export interface ConfiguredModel {
  readonly name: string;
  /** A folder with a folder per version. */
  readonly basePath: string;
  /** Empty when it is not said. */
  readonly platform: string;
  readonly versions: VersionPolicy;
  /** Versions by their labels. */
  readonly labels: ReadonlyMap<string, bigint>;
}

/**
 * Reads the whole list of models to be served from now on.
 *
 * @throws SluiceError `invalid_argument` when there is no such list, a model has no name or folder, or one is named twice
 */
export function decodeReloadConfig({ config }: ReloadConfigRequest): {
  readonly models: readonly ConfiguredModel[];
} {
  if (config?.config.case !== "modelConfigList") {
    throw invalidField("config", "must be a model_config_list; no other kind is supported");
  }
  const models = config.config.value.config.map(decodeModel);
  const names = new Set<string>();
  for (const [index, { name }] of models.entries()) {
    if (names.has(name)) {
      throw invalidField(toField(index, "name"), "is the name of a model before it");
    }
    names.add(name);
  }
  return { models };
}

/** Writes how the change went. */
export function encodeReloadConfigResponse(error: SluiceError | undefined): ReloadConfigResponse {
  return create(ReloadConfigResponseSchema, { status: toStatusProto(error) });
}

function decodeModel(config: ModelConfig, index: number): ConfiguredModel {
  const { name, basePath, modelPlatform, versionLabels } = config;
  if (name === "") throw invalidField(toField(index, "name"), "is empty");
  if (basePath === "") throw invalidField(toField(index, "base_path"), "is empty");
  return {
    name,
    basePath,
    platform: modelPlatform,
    versions: decodeVersions(config),
    labels: new Map(Object.entries(versionLabels)),
  };
}

/** Without a policy, or without a count, the latest version alone. */
function decodeVersions({ modelVersionPolicy }: ModelConfig): VersionPolicy {
  const choice = modelVersionPolicy?.policyChoice;
  if (choice?.case === "all") return { kind: "all" };
  if (choice?.case === "specific") return { kind: "specific", versions: choice.value.versions };
  const count = choice?.case === "latest" ? choice.value.numVersions : 1;
  return { kind: "latest", count: Math.max(1, count) };
}

function toField(index: number, field: string): string {
  return `config.model_config_list.config[${index}].${field}`;
}
