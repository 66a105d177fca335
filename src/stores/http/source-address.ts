import { SluiceError } from "../../core/errors.ts";
import type { AddressRules } from "./guard-address.ts";
import { isPublicAddress, parseGuardedUrl, toAddress } from "./guard-address.ts";

/** Which addresses rows may be fetched from. */
export interface SourceRules extends AddressRules {
  /** `files.example.org` is that host, `*.example.org` all whose names end so. With none, nothing is fetched. */
  readonly allowedHosts: readonly string[];
}

/** What callers know the address as. */
export const SOURCE_FIELD = "source.url";

/**
 * Reads an address that a caller named, or one that another address led to.
 *
 * @param subject what the messages say of it, e.g. `source.url`
 * @throws SluiceError `invalid_argument` when it is none, `permission_denied`, with the setting, when it is not allowed
 */
export function parseSourceUrl(text: string, rules: SourceRules, subject = SOURCE_FIELD): URL {
  if (rules.allowedHosts.length === 0) {
    throw refuseSource("cannot be fetched; jobs.sources.allowedHosts names no host", subject);
  }
  // Whether http:// and addresses of this network will do is told below, with the setting that decides.
  const loose = { allowHttp: true, allowPrivateAddresses: true };
  const url = parseGuardedUrl(text, SOURCE_FIELD, loose);
  if (url.protocol === "http:" && !rules.allowHttp) {
    throw refuseSource("must begin with https://; jobs.sources.allowHttp is off", subject);
  }
  const address = toAddress(url);
  const matches = (pattern: string) =>
    matchesHost(pattern.toLowerCase(), url.hostname, address !== undefined);
  if (!rules.allowedHosts.some(matches)) {
    throw refuseSource("names a host that is not among jobs.sources.allowedHosts", subject);
  }
  if (address !== undefined && !rules.allowPrivateAddresses && !isPublicAddress(address)) {
    throw refusePrivate(subject);
  }
  return url;
}

/** A suffix is one of names: the end of an address says nothing about whose it is. */
function matchesHost(pattern: string, host: string, isAddress: boolean): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return !isAddress && host.endsWith(pattern.slice(1)) && host.length >= pattern.length;
}

/** The error for a host that is allowed by its name, and is at an address that is not. */
export function refusePrivate(subject: string, cause?: unknown): SluiceError {
  const problem = "is not on the public Internet, and jobs.sources.allowPrivateAddresses is off";
  return refuseSource(problem, subject, cause);
}

function refuseSource(problem: string, subject: string, cause?: unknown): SluiceError {
  const details = [{ field: SOURCE_FIELD, problem }];
  return new SluiceError("permission_denied", `${subject} ${problem}.`, { details, cause });
}
