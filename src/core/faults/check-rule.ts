import type { FieldProblem } from "../errors.ts";
import { GRPC_STATUSES } from "./abort-status.ts";
import type { FaultAbort, FaultDelay, FaultMatch, FaultRule } from "./fault-rule.ts";
import { MAX_DELAY_MS, MAX_TTL_MS } from "./fault-rule.ts";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const MAX_HEADERS = 16;
const MAX_TEXT = 512;

/**
 * Everything that is wrong with a rule, in the fields of the API; empty when it is fine.
 *
 * @param epochMs now; the end of the rule must lie behind it, and within `MAX_TTL_MS`
 */
export function findFaultProblems(rule: FaultRule, epochMs: number): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!NAME.test(rule.name)) {
    const problem =
      "must be 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends";
    problems.push({ field: "name", problem });
  }
  if (rule.delay === null && rule.abort === null) {
    problems.push({ field: "delay", problem: "or abort is missing; send at least one of them" });
  }
  const ttlMs = rule.expiresAtMs - epochMs;
  if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
    problems.push({ field: "ttl", problem: 'must be from 1ms to 24h, e.g. "10m"' });
  }
  return [
    ...problems,
    ...findMatchProblems(rule.match),
    ...(rule.delay === null ? [] : findDelayProblems(rule.delay)),
    ...(rule.abort === null ? [] : findAbortProblems(rule.abort)),
  ];
}

function findMatchProblems({ everything, headers, ...named }: FaultMatch): readonly FieldProblem[] {
  const texts = Object.entries(named).filter(([, value]) => value !== null);
  const isNamed = texts.length > 0 || headers.length > 0;
  const problems: FieldProblem[] = [];
  if (everything && isNamed) {
    const problem = "is true, and the match names more; leave one of the two out";
    problems.push({ field: "match.everything", problem });
  }
  if (!everything && !isNamed) {
    const problem =
      'must name a model, version, key or headers; send {"everything": true} to mean every request';
    problems.push({ field: "match", problem });
  }
  for (const [field, value] of texts) {
    if (value === null || isText(value)) continue;
    problems.push({ field: `match.${field}`, problem: `must have 1 to ${MAX_TEXT} characters` });
  }
  if (headers.length > MAX_HEADERS) {
    problems.push({ field: "match.headers", problem: `must be at most ${MAX_HEADERS}` });
  }
  for (const { name, value } of headers) {
    if (HEADER_NAME.test(name) && isText(value)) continue;
    const problem = `must be the name of a header, and its text have 1 to ${MAX_TEXT} characters`;
    problems.push({ field: `match.headers.${name.slice(0, 64)}`, problem });
  }
  return problems;
}

function isText(value: string): boolean {
  return value.length > 0 && value.length <= MAX_TEXT;
}

function findDelayProblems({ percent, fixedDelayMs }: FaultDelay): readonly FieldProblem[] {
  const isFitting = fixedDelayMs >= 1 && fixedDelayMs <= MAX_DELAY_MS;
  const problem = 'must be from 1ms to 10m, e.g. "5s"';
  return [
    ...findPercentProblems("delay.percentage.value", percent),
    ...(isFitting ? [] : [{ field: "delay.fixedDelay", problem }]),
  ];
}

function findAbortProblems({ percent, httpStatus, grpcStatus }: FaultAbort) {
  const problems = [...findPercentProblems("abort.percentage.value", percent)];
  if ((httpStatus === null) === (grpcStatus === null)) {
    const problem = "or grpcStatus must be there, and not both";
    problems.push({ field: "abort.httpStatus", problem });
  }
  if (httpStatus !== null && !isErrorStatus(httpStatus)) {
    const problem = "must be the status of an error, from 400 to 599";
    problems.push({ field: "abort.httpStatus", problem });
  }
  if (grpcStatus !== null && !GRPC_STATUSES.has(grpcStatus)) {
    const problem = `must be one of ${[...GRPC_STATUSES.keys()].join(", ")}`;
    problems.push({ field: "abort.grpcStatus", problem });
  }
  return problems;
}

function isErrorStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 400 && status <= 599;
}

/** Finer shares than 0.01 % could not be kept. */
function findPercentProblems(field: string, percent: number): readonly FieldProblem[] {
  const hundredths = percent * 100;
  const isFine = Math.abs(hundredths - Math.round(hundredths)) < 1e-6;
  if (percent >= 0 && percent <= 100 && isFine) return [];
  return [{ field, problem: "must be from 0 to 100, with at most two decimals" }];
}
