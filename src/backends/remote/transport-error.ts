import { SluiceError } from "../../core/errors.ts";

/** What callers may know; the rest, addresses among it, is in the cause. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection broke",
  EPIPE: "the connection broke",
  ENOTFOUND: "its host name is unknown",
  EAI_AGAIN: "its host name could not be looked up",
  EHOSTUNREACH: "its host cannot be reached",
  ENETUNREACH: "its network cannot be reached",
  ETIMEDOUT: "the connection timed out",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/**
 * Why a server could not be talked to. Pure.
 *
 * @param thrown what a socket or an HTTP parser failed with; a SluiceError stays as it is
 */
export function toTransportError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = readCode(thrown);
  const reason = REASONS[code] ?? (code.startsWith("HPE_") ? "it does not speak HTTP" : undefined);
  const message =
    reason === undefined
      ? "The model's server could not be talked to."
      : `The model's server could not be talked to: ${reason}.`;
  return new SluiceError("unavailable", message, { cause: thrown });
}

function readCode(thrown: unknown): string {
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : "";
  return typeof code === "string" ? code : "";
}
