import { SluiceError } from "../../../core/errors.ts";
import { describeModel, describeModels } from "../../../protocols/kserve-v1/describe-models.ts";
import { toModelCard, toModelList } from "../../../protocols/openai/to-model-card.ts";
import { encodeMetadata } from "../../../protocols/tensorflow-serving/encode-metadata.ts";
import { toVersionStatuses } from "../../../protocols/tensorflow-serving/encode-status.ts";
import { malformed } from "../../../protocols/tensorflow-serving/malformed.ts";
import type { PathTarget } from "../../../protocols/tensorflow-serving/model-path.ts";
import { toVersionNumber } from "../../../protocols/tensorflow-serving/version-number.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { InferenceCaller } from "../inference.ts";
import { findListedVersion, findTargetVersion } from "./find-version.ts";

/** An answer's status and body. */
interface Described {
  readonly status: number;
  readonly body: string;
}

const OK = 200;
const NOT_READY = 503;

/** The version as this dialect numbers it, or as it is where that has no number. */
function numbered(version: string): string {
  return toVersionNumber(version)?.toString() ?? version;
}

/**
 * `GET /v1/models`: what KServe and OpenAI answer there, one beside the other. TensorFlow Serving has no such address,
 * and says so where it is to be followed to the letter.
 */
export function describeAll({ pipeline, protocols }: GatewayOptions): Described {
  if (protocols.tensorflowServing.strict) throw malformed("Missing model name in request.", "path");
  const ready = pipeline.registry.list().filter(({ state }) => state === "ready");
  const names = [...new Set(ready.map(({ model }) => model))];
  const cards = toModelList(names.map((name) => ({ name, createdSeconds: 0 })));
  return { status: OK, body: JSON.stringify({ ...cards, ...describeModels(names) }) };
}

/** `GET /v1/models/<model>`: its versions and their states, and what KServe and OpenAI answer there. */
export function describeStatus(options: GatewayOptions, target: PathTarget): Described {
  const { model, version, label } = target;
  const versions = options.pipeline.registry.list().filter((status) => status.model === model);
  if (versions.length === 0) {
    throw new SluiceError("not_found", `Could not find any versions of model ${model}`);
  }
  const wanted =
    version === undefined && label === undefined ? undefined : findListedVersion(options, target);
  const listed = versions
    .filter((status) => wanted === undefined || status.version === wanted)
    .map((status) => ({ ...status, version: numbered(status.version) }));
  const statuses = { model_version_status: toVersionStatuses(listed) };
  const { strict, kserveModels } = options.protocols.tensorflowServing;
  if (strict) return { status: OK, body: JSON.stringify(statuses) };
  const isReady = listed.some(({ state }) => state === "ready");
  const card = toModelCard({ name: model, createdSeconds: 0 });
  const body = JSON.stringify({ ...card, ...describeModel(model, isReady), ...statuses });
  return { status: isReady || !kserveModels.includes(model) ? OK : NOT_READY, body };
}

/** `GET /v1/models/<model>/metadata`. */
export function describeMetadata(
  options: GatewayOptions,
  inference: InferenceCaller,
  target: PathTarget,
): Described {
  const version = findTargetVersion(options, target);
  const askable = inference.findAskable(target.model, version, "tensorflow-serving");
  const body = encodeMetadata(askable.model, numbered(askable.version), askable.signature);
  return { status: OK, body };
}
