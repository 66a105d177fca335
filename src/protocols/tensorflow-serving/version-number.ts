import { malformed } from "./malformed.ts";

/** A component of a version takes so many digits of its number. */
const COMPONENT = 1000;

/** Numbers are int64 on the wire. */
export const MAX_VERSION_NUMBER = 2n ** 63n - 1n;

/**
 * Our `major.minor.patch` as the one whole number that this dialect has for a version: `x.0.0` is x, and any other is
 * `major × 10⁶ + minor × 10³ + patch`. Undefined where minor or patch is too large for that, or the number for an int64:
 * such a version is reached by a label.
 */
export function toVersionNumber(version: string): bigint | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (![major, minor, patch].every(Number.isSafeInteger)) return undefined;
  if (minor === 0 && patch === 0) return BigInt(major);
  if (minor >= COMPONENT || patch >= COMPONENT) return undefined;
  const number =
    (BigInt(major) * BigInt(COMPONENT) + BigInt(minor)) * BigInt(COMPONENT) + BigInt(patch);
  return number <= MAX_VERSION_NUMBER ? number : undefined;
}

/** The version that has this number; where two have, the one that is `x.0.0`. */
export function findVersion(number: bigint, known: readonly string[]): string | undefined {
  const plain = `${number}.0.0`;
  if (known.includes(plain)) return plain;
  return known.find((version) => toVersionNumber(version) === number);
}

/** A label that somebody has given to a version. */
export interface VersionLabel {
  readonly model: string;
  readonly label: string;
  readonly version: string;
}

/**
 * The version that a label stands for: as configured, or the one that the label spells.
 *
 * @throws SluiceError `invalid_argument` when it is neither, or that version does not exist
 */
export function findLabelled(
  model: string,
  label: string,
  labels: readonly VersionLabel[],
  known: readonly string[],
): string {
  const labelled = labels.find((one) => one.model === model && one.label === label);
  const version = labelled?.version ?? label;
  if (known.includes(version)) return version;
  throw malformed(`Unrecognized servable version label: ${label.slice(0, 64)}`, "path");
}
