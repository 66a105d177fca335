import type { ErrorCode } from "../errors.ts";
import { SluiceError } from "../errors.ts";
import type { VersionState } from "./version-state.ts";

// What the registry says when it has no version for a request.

interface NamedVersion {
  readonly model: string;
  readonly version: string;
  readonly state: VersionState;
  readonly reason: string | undefined;
}

/** What is not there, with what is. */
export function notFound(message: string, field: string, existing: readonly string[]): SluiceError {
  const code: ErrorCode = "not_found";
  if (existing.length === 0) return new SluiceError(code, `${message} No models are loaded.`);
  const known = `Available: ${existing.join(", ")}.`;
  return new SluiceError(code, `${message} ${known}`, {
    details: [{ field, problem: known }],
  });
}

/** A version was asked for what it does not read. */
export function wrongKind({ model, version }: NamedVersion, reads: string): SluiceError {
  return new SluiceError("invalid_argument", `${model} ${version} reads ${reads}.`, {
    details: [{ field: "inputs", problem: `this model reads ${reads}` }],
  });
}

/** Why a version cannot answer now. */
export function notReadyMessage(entry: NamedVersion): string {
  const reason = entry.reason === undefined ? "" : `: ${entry.reason}`;
  return `Version ${entry.version} of model "${entry.model}" is ${entry.state}${reason}`;
}
