import type { TrafficMatch } from "../../core/releases/release-plan.ts";
import type { HeaderCondition } from "./manifest.ts";

/** One way to recognise a request: all conditions hold. */
export interface MatchConditions {
  readonly headers: Readonly<Record<string, HeaderCondition>>;
}

/**
 * Matches of an A/B release as conditions on headers. Keys cannot be matched: a proxy sees the key itself, which is a secret,
 * and not its id.
 *
 * @returns one for each match that can be expressed
 */
export function toConditions(matches: readonly TrafficMatch[]): readonly MatchConditions[] {
  return matches.flatMap((match) => {
    if (match.source === "key" || match.name === null) return [];
    if (match.source === "cookie") return [{ headers: { cookie: toCookieCondition(match) } }];
    return [{ headers: { [match.name.toLowerCase()]: toCondition(match) } }];
  });
}

function toCondition({ test, value }: TrafficMatch): HeaderCondition {
  if (test === "prefix") return { prefix: value };
  // Istio knows no suffix, and wants expressions to cover the whole value.
  return test === "suffix" ? { regex: `.*${escapeExpression(value)}` } : { exact: value };
}

/** A cookie is one of several in a header, so that only an expression over all of it finds it. */
function toCookieCondition({ name, test, value }: TrafficMatch): HeaderCondition {
  const [before, after] = [test === "suffix" ? "[^;]*" : "", test === "prefix" ? "[^;]*" : ""];
  const cookie = `${escapeExpression(name ?? "")}=${before}${escapeExpression(value)}${after}`;
  return { regex: `^(.*;\\s*)?${cookie}(;.*)?$` };
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
