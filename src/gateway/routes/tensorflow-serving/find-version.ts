import { SluiceError } from "../../../core/errors.ts";
import { malformed } from "../../../protocols/tensorflow-serving/malformed.ts";
import type { PathTarget } from "../../../protocols/tensorflow-serving/model-path.ts";
import {
  findLabelled,
  findVersion,
  MAX_VERSION_NUMBER,
} from "../../../protocols/tensorflow-serving/version-number.ts";
import type { GatewayOptions } from "../../gateway-options.ts";

/** Versions of a model that this server knows, ready or not. */
export function listVersions({ pipeline }: GatewayOptions, wanted: string): readonly string[] {
  const known = pipeline.registry.list().filter(({ model }) => model === wanted);
  return known.map(({ version }) => version);
}

/**
 * The version of ours that a caller means by a number or a label; `undefined` where it names none.
 *
 * @throws SluiceError `not_found` and `invalid_argument` in TensorFlow Serving's words
 */
export function findTargetVersion(
  options: GatewayOptions,
  { model, version, label, asked = version }: PathTarget,
): string | undefined {
  if (options.pipeline.graphs.has(model)) {
    if (version === undefined && label === undefined) return undefined;
    throw servableNotFound(`Specific(${model}, ${asked ?? label})`);
  }
  const known = listVersions(options, model);
  if (known.length === 0) throw servableNotFound(`Latest(${model})`);
  const { versionLabels, strict } = options.protocols.tensorflowServing;
  if (label !== undefined) {
    const chosen = options.pipeline.registry.findLabelled(model, label);
    return chosen ?? findLabelled(model, label, versionLabels, known);
  }
  if (version === undefined) return undefined;
  if (!/^\d+$/.test(version)) {
    // Not a version of this dialect; of ours it may be.
    if (!strict && known.includes(version)) return version;
    throw malformed(`Malformed request: ${asked}`, "path");
  }
  // Far longer numbers than any version take long to read.
  const number = version.length > 19 ? MAX_VERSION_NUMBER + 1n : BigInt(version);
  if (number > MAX_VERSION_NUMBER)
    throw malformed(`Failed to convert version: ${version.slice(0, 64)}`, "path");
  const found = findVersion(number, known);
  if (found === undefined) throw servableNotFound(`Specific(${model}, ${version})`);
  return found;
}

/**
 * The same for questions about its state, which have words of their own for a version that is not there.
 *
 * @throws SluiceError as `findTargetVersion`
 */
export function findListedVersion(options: GatewayOptions, target: PathTarget): string | undefined {
  try {
    return findTargetVersion(options, target);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "not_found") throw thrown;
    const { model, version = "" } = target;
    throw new SluiceError("not_found", `Could not find version ${version} of model ${model}`);
  }
}

function servableNotFound(what: string): SluiceError {
  return new SluiceError("not_found", `Servable not found for request: ${what}`);
}
