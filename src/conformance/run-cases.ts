import { toSluiceError } from "../core/errors.ts";
import type { ConformanceCase, Subject, Verdict } from "./case.ts";
import { fail } from "./case.ts";

/** A case that was tried. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly level: ConformanceCase<Subject>["level"];
  readonly verdict: Verdict;
}

/** Tries every case, one after the other: what one leaves behind must not be the next one's trouble. */
export async function runCases<Target extends Subject>(
  cases: readonly ConformanceCase<Target>[],
  target: Target,
  onResult: (result: CaseResult) => void = () => {},
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { id, title, source, level, run } of cases) {
    const verdict = await runCase(run, target);
    const result = { id, title, source, level, verdict };
    results.push(result);
    onResult(result);
  }
  return results;
}

/** A server that hangs up or stays silent has failed the case, and may do better in the next. */
async function runCase<Target extends Subject>(
  run: ConformanceCase<Target>["run"],
  target: Target,
): Promise<Verdict> {
  try {
    return await run(target);
  } catch (thrown) {
    return fail("an answer", toSluiceError(thrown).message);
  }
}

/** Whether a server does everything that the protocol demands. */
export function isConformant(results: readonly CaseResult[]): boolean {
  return results.every(({ level, verdict }) => level !== "required" || verdict.outcome !== "fail");
}
