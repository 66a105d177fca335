import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { SluiceError } from "../../core/errors.ts";
import type { Caller } from "../request-context.ts";

/** An API key as it is kept: never the key itself. */
export interface StoredKey {
  readonly id: string;
  /** Lower-case hex SHA-256 of the key. Keys hold 256 random bits, so a plain hash cannot be guessed back. */
  readonly sha256: string;
  /** ISO date-time after which the key is refused. */
  readonly expiresAt?: string | undefined;
  readonly rateLimitRequests?: number | undefined;
  /** Share of a busy model relative to other callers; 1 when it is not given. */
  readonly weight?: number | undefined;
}

export interface AuthenticatorOptions {
  readonly keys: readonly StoredKey[];
  /**
   * False: requests without a key pass as their address. A key that is sent is checked all the same, unless there is none
   * to check it against.
   */
  readonly required: boolean;
  readonly epochMs: () => number;
}

/** Tells who sends a request. */
export type Authenticator = (headers: IncomingHttpHeaders, address: string) => Caller;

/**
 * Reads `Authorization: Bearer <key>` or `X-API-Key: <key>`.
 *
 * The hash of the presented key is looked up, so the time it takes tells nothing about any stored key.
 *
 * @throws SluiceError `unauthenticated` when a key is missing, unknown or expired
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const keysByHash = new Map(options.keys.map((key) => [key.sha256, key]));
  // Where there are no keys there is nothing to check against, and some clients always send one.
  const isOpen = !options.required && keysByHash.size === 0;
  return (headers, address) => {
    const presented = isOpen ? undefined : readKey(headers);
    if (presented === undefined) {
      if (!options.required) {
        return { id: addressId(address), rateLimitRequests: undefined, weight: 1 };
      }
      throw unauthenticated("This server needs an API key");
    }
    const key = keysByHash.get(hash("sha256", presented, "hex"));
    if (key === undefined) throw unauthenticated("The API key is not known");
    if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= options.epochMs()) {
      throw unauthenticated("The API key has expired");
    }
    const { id, rateLimitRequests, weight = 1 } = key;
    return { id: `key:${id}`, rateLimitRequests, weight };
  };
}

function readKey(headers: IncomingHttpHeaders): string | undefined {
  const apiKey = headers["x-api-key"];
  if (typeof apiKey === "string") return apiKey;
  const authorization = headers.authorization;
  if (authorization === undefined) return undefined;
  const match = /^Bearer +(\S+)$/i.exec(authorization);
  if (match?.[1] === undefined)
    throw unauthenticated("The Authorization header is not a bearer key");
  return match[1];
}

function unauthenticated(reason: string): SluiceError {
  const fix = "send it as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'";
  return new SluiceError("unauthenticated", `${reason}; ${fix}.`);
}

/** One IPv6 customer owns at least a /64, so single IPv6 addresses would be no limit at all. */
function addressId(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return `address:${address}`;
  const [head = "", tail = ""] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return `address:${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}
