import { bucketOf } from "../releases/hash-identity.ts";
import type { FaultAbort, FaultFacts, FaultMatch, FaultRule, HeaderMatch } from "./fault-rule.ts";

/** What is to be done to one request: first the delay, then the abort. */
export interface ChosenFault {
  readonly rule: string;
  /** Milliseconds; 0 = none. */
  readonly delayMs: number;
  readonly abort: FaultAbort | null;
}

/** Where a request stands in the draw of that name; 0 ≤ bucket < 10 000. */
export type FaultDraw = (name: string, requestId: string) => number;

/**
 * What happens to a request. Of the rules that match it the first one decides alone, also when its draw spares the
 * request, as of Istio's routes. Delay and abort have draws of their own, independent of each other. The draw is a hash
 * of the rule's name and the request's id unless said otherwise: every process comes to the same. Pure.
 *
 * @param epochMs now; rules that have ended do nothing
 * @returns undefined when nothing is to be done
 */
export function chooseFault(
  rules: Iterable<FaultRule>,
  facts: FaultFacts,
  epochMs: number,
  draw: FaultDraw = bucketOf,
): ChosenFault | undefined {
  for (const rule of rules) {
    if (epochMs >= rule.expiresAtMs || !isFaultMatch(rule.match, facts)) continue;
    return drawFault(rule, facts.requestId, draw);
  }
  return undefined;
}

function drawFault(
  { name, delay, abort }: FaultRule,
  requestId: string,
  draw: FaultDraw,
): ChosenFault | undefined {
  const isHit = (kind: string, percent: number) =>
    draw(`fault/${name}/${kind}`, requestId) < Math.round(percent * 100);
  const delayMs = delay !== null && isHit("delay", delay.percent) ? delay.fixedDelayMs : 0;
  const chosen = abort !== null && isHit("abort", abort.percent) ? abort : null;
  if (delayMs === 0 && chosen === null) return undefined;
  return { rule: name, delayMs, abort: chosen };
}

/** Whether a request has everything that `match` names. What is not there never matches. */
export function isFaultMatch(match: FaultMatch, facts: FaultFacts): boolean {
  if (match.model !== null && match.model !== facts.model) return false;
  if (match.version !== null && match.version !== facts.version) return false;
  if (match.key !== null && match.key !== facts.keyId) return false;
  return match.headers.every((header) => isHeaderMatch(header, facts.headers.get(header.name)));
}

function isHeaderMatch({ test, value }: HeaderMatch, found: string | undefined): boolean {
  if (found === undefined) return false;
  if (test === "prefix") return found.startsWith(value);
  return test === "suffix" ? found.endsWith(value) : found === value;
}
