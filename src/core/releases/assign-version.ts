import { BUCKETS, bucketOf } from "./hash-identity.ts";
import type { StickyBy, TrafficMatch } from "./release-plan.ts";

/** How the requests of one model are divided just now. Immutable; replaced as a whole. */
export interface TrafficSplit {
  /** Id of the release: in the next one other callers come first. */
  readonly releaseId: string;
  readonly stable: string;
  readonly candidate: string;
  /** Percent, 0 to 100; `stableWeight` + `candidateWeight` = 100. */
  readonly stableWeight: number;
  readonly candidateWeight: number;
  /** Requests that go to the candidate whatever their draw; empty unless it is an A/B release and the candidate ready. */
  readonly matches: readonly TrafficMatch[];
  /** Percent of stable's requests that the candidate answers too, unseen. */
  readonly mirrorShare: number;
  readonly stickyBy: StickyBy;
}

/** What is known of a request where its version is chosen. */
export interface RequestIdentity {
  readonly requestId: string;
  /** Id of the API key (never the key), or the address of a caller without one. */
  readonly caller: string;
  /** Id of the API key; null without one. */
  readonly keyId: string | null;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: ReadonlyMap<string, string>;
}

/**
 * Which version a request gets. The same identity gets the same version as long as the weight stays; when it rises,
 * requests move to the candidate only, when it falls, only back. Pure.
 */
export function assignVersion(
  split: TrafficSplit,
  identity: RequestIdentity,
): "stable" | "candidate" {
  if (split.candidateWeight >= 100) return "candidate";
  if (split.matches.some((match) => isMatch(match, identity))) return "candidate";
  if (split.candidateWeight <= 0) return "stable";
  const bucket = bucketOf(split.releaseId, readStickyIdentity(split.stickyBy, identity));
  return bucket < toBuckets(split.candidateWeight) ? "candidate" : "stable";
}

/**
 * Whether the candidate gets a copy of a request that stable answers. Drawn per request, whoever sends it, and
 * independently of the version that the caller is assigned to.
 */
export function isMirrored(split: TrafficSplit, requestId: string): boolean {
  if (split.mirrorShare <= 0) return false;
  return bucketOf(`${split.releaseId}/mirror`, requestId) < toBuckets(split.mirrorShare);
}

/** What a request is recognised by. A caller who does not send the header that names the subject is known by the key. */
export function readStickyIdentity(stickyBy: StickyBy, identity: RequestIdentity): string {
  if (stickyBy.kind === "request") return identity.requestId;
  if (stickyBy.kind === "key") return identity.caller;
  return identity.headers.get(stickyBy.header.toLowerCase()) ?? identity.caller;
}

/** Whether a request has what `match` looks for. What is not there never matches. */
export function isMatch(match: TrafficMatch, identity: RequestIdentity): boolean {
  const found = readMatched(match, identity);
  if (found === null) return false;
  if (match.test === "prefix") return found.startsWith(match.value);
  return match.test === "suffix" ? found.endsWith(match.value) : found === match.value;
}

function readMatched({ source, name }: TrafficMatch, identity: RequestIdentity): string | null {
  if (source === "key") return identity.keyId;
  if (name === null) return null;
  const found =
    source === "header" ? identity.headers.get(name.toLowerCase()) : identity.cookies.get(name);
  return found ?? null;
}

function toBuckets(percent: number): number {
  return Math.round((percent / 100) * BUCKETS);
}
