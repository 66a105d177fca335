import { SluiceError } from "../core/errors.ts";
import type { ConformanceCase, Level, Verdict } from "./case.ts";
import { fail } from "./case.ts";

/** A case and what came of it. */
export interface CaseReport {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly level: Level;
  readonly verdict: Verdict;
  readonly durationMs: number;
}

/**
 * Runs the cases one after another, because some of them are made to hurt. A case that throws has failed: with the
 * reason when the server gave no answer. A bug in a case is thrown on.
 *
 * @param only runs the cases whose id contains this; `*` stands for any characters.
 */
export async function runCases<Server>(
  cases: readonly ConformanceCase<Server>[],
  server: Server,
  only?: string,
): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  for (const one of cases.filter(({ id }) => only === undefined || toPattern(only).test(id))) {
    const startMs = performance.now();
    const verdict = await runCase(one, server);
    const { id, title, source, level } = one;
    reports.push({
      id,
      title,
      source,
      level,
      verdict,
      durationMs: Math.round(performance.now() - startMs),
    });
  }
  return reports;
}

async function runCase<Server>(one: ConformanceCase<Server>, server: Server): Promise<Verdict> {
  try {
    return await one.run(server);
  } catch (thrown) {
    if (thrown instanceof SluiceError) return fail("an answer", thrown.message);
    throw thrown;
  }
}

function toPattern(only: string): RegExp {
  const parts = only.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(parts.join(".*"));
}

/** 0: every required promise is kept; 1: one is broken. Two is for servers that could not be judged. */
export function toExitCode(reports: readonly CaseReport[]): 0 | 1 {
  return reports.some(({ level, verdict }) => level === "required" && verdict.outcome === "fail")
    ? 1
    : 0;
}
