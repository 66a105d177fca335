import type { FieldProblem } from "../errors.ts";
import type { HookType, ReleaseHook } from "./release-plan.ts";
import { HOOK_TYPES } from "./release-plan.ts";

/** Hooks that one check may have to wait for, one type after the other. */
const CHECK_HOOKS: readonly HookType[] = [
  "rollback",
  "rollout",
  "confirm-traffic-increase",
  "confirm-promotion",
];

/** Everything because of which hooks cannot work: what they are, and whether they can answer between two checks. */
export function findHookProblems(
  hooks: readonly ReleaseHook[],
  intervalMs: number,
): FieldProblem[] {
  const problems = hooks.flatMap((hook, at) =>
    findOwnProblems(hook, intervalMs).map(({ field, problem }) => ({
      field: `hooks[${at}].${field}`,
      problem,
    })),
  );
  // Hooks of one type are asked at the same time: the slowest of each type counts.
  const byType = Map.groupBy(hooks, ({ type }) => type);
  let longestMs = 0;
  for (const type of CHECK_HOOKS) {
    longestMs += Math.max(0, ...(byType.get(type) ?? []).map(longestAnswerMs));
  }
  if (problems.length === 0 && longestMs > 0 && longestMs >= intervalMs) {
    problems.push({
      field: "hooks",
      problem: `may take ${longestMs} ms per check, which must be below intervalMs (${intervalMs})`,
    });
  }
  return problems;
}

function findOwnProblems(hook: ReleaseHook, intervalMs: number): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (hook.name === "") problems.push({ field: "name", problem: "must not be empty" });
  if (!HOOK_TYPES.includes(hook.type)) {
    problems.push({ field: "type", problem: `must be one of ${HOOK_TYPES.join(", ")}` });
  }
  if (!/^https?:\/\/[^\s/]/.test(hook.url)) {
    problems.push({ field: "url", problem: "must begin with http:// or https:// and name a host" });
  }
  const counts = findCountProblems("timeoutMs", hook.timeoutMs, 3_600_000);
  if (!Number.isInteger(hook.retries) || hook.retries < 0 || hook.retries > 10) {
    counts.push({ field: "retries", problem: "must be a whole number from 0 to 10" });
  }
  if (counts.length === 0 && longestAnswerMs(hook) >= intervalMs) {
    counts.push({
      field: "timeoutMs",
      problem: `may take ${longestAnswerMs(hook)} ms with all retries, which must be below intervalMs (${intervalMs})`,
    });
  }
  return [...problems, ...counts];
}

/** All attempts of a hook with the waits between them: 1 s, 2 s, 4 s … */
export function longestAnswerMs({ timeoutMs, retries }: ReleaseHook): number {
  return timeoutMs * (retries + 1) + 1_000 * (2 ** retries - 1);
}

/** @returns the problem that `value` is no whole number from 1 to `most`, or nothing */
export function findCountProblems(field: string, value: number, most: number): FieldProblem[] {
  if (Number.isInteger(value) && value >= 1 && value <= most) return [];
  return [{ field, problem: `must be a whole number from 1 to ${most}` }];
}
