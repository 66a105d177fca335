import type { FaultMatch, FaultRule } from "./fault-rule.ts";

/** A rule in one line, for the log and the audit: `10% delay of 500ms, 50% abort with 503, for model reviews, until …`. */
export function describeRule({ match, delay, abort, expiresAtMs }: FaultRule): string {
  const parts = [
    ...(delay === null ? [] : [`${delay.percent}% delay of ${delay.fixedDelayMs}ms`]),
    ...(abort === null
      ? []
      : [`${abort.percent}% abort with ${abort.httpStatus ?? abort.grpcStatus ?? ""}`]),
    `for ${describeMatch(match)}`,
    `until ${new Date(expiresAtMs).toISOString()}`,
  ];
  return parts.join(", ");
}

/** Values of headers may be personal, such as a user's id; they stay out of the log. */
function describeMatch({ everything, model, version, key, headers }: FaultMatch): string {
  if (everything) return "every request";
  const named = Object.entries({ model, version, key }).filter(([, value]) => value !== null);
  const parts = [
    ...named.map(([name, value]) => `${name} ${value}`),
    ...headers.map(({ name, test }) => `header ${name} (${test})`),
  ];
  return parts.join(" and ");
}
