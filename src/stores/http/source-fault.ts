import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import { AddressRefusedError } from "./guard-address.ts";
import { refusePrivate, SOURCE_FIELD } from "./source-address.ts";

/** What goes wrong while rows are fetched, in words for the caller who named the address. */

/** An address, or what is there, that will be as wrong the next time. */
export function wrongSource(problem: string, cause?: unknown): SluiceError {
  return toFault("invalid_argument", problem, cause);
}

/** Statuses that say something about now rather than about the request. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** The error for an answer that is another than 200. */
export function describeStatus(status: number): SluiceError {
  const code = status >= 500 || PASSING.has(status) ? "unavailable" : "invalid_argument";
  return toFault(code, `was answered with the status ${status} instead of 200`, undefined);
}

export function describeTooLong({ maxBytes }: { readonly maxBytes: number }): SluiceError {
  return toFault("too_large", `leads to more than ${maxBytes} bytes; split it`, undefined);
}

/** @param broken what to say of a connection that broke */
export function describeSourceFault(thrown: unknown, broken: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof AddressRefusedError) return refusePrivate(SOURCE_FIELD, thrown);
  const code = codeOf(thrown);
  if (code === "ENOTFOUND") return wrongSource("names a host that does not exist", thrown);
  if (code.startsWith("Z_")) return wrongSource("leads to gzip that is broken", thrown);
  const reason = code === "" ? "" : ` (${code})`;
  return toFault("unavailable", `${broken}${reason}`, thrown);
}

function codeOf(thrown: unknown): string {
  const isNamed = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string";
  return isNamed ? String(thrown.code) : "";
}

function toFault(code: ErrorCode, problem: string, cause: unknown): SluiceError {
  const details = [{ field: SOURCE_FIELD, problem }];
  return new SluiceError(code, `${SOURCE_FIELD} ${problem}.`, { details, cause });
}
