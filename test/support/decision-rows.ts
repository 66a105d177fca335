import { expect, test } from "vitest";
import type { Analysis } from "../../src/core/releases/analyse.ts";
import type { CheckOutcome, CheckResult } from "../../src/core/releases/check-result.ts";
import { decide } from "../../src/core/releases/decide.ts";
import type {
  DecisionInputs,
  HookAnswer,
  ReleaseAction,
} from "../../src/core/releases/decision.ts";
import type {
  HookType,
  ReleasePlan,
  ReleaseStrategy,
} from "../../src/core/releases/release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "../../src/core/releases/release-plan.ts";
import type { ReleaseState } from "../../src/core/releases/release-state.ts";
import { createReleaseState } from "../../src/core/releases/release-state.ts";

export const MINUTE = 60_000;
/** The release began then; the check under test is made a minute later. */
export const START = 1_000_000;
export const NOW = START + MINUTE;

export const canary: ReleaseStrategy = { ...DEFAULT_STRATEGY, stepWeight: 10, maxWeight: 30 };

export function planOf(
  changes: Partial<ReleasePlan> = {},
  hooks: readonly HookType[] = [],
): ReleasePlan {
  const strategy = changes.strategy ?? canary;
  return {
    ...createPlan({ model: "spam", candidate: "2.0.0", strategy, hasLabels: true, gateSet: null }),
    hooks: hooks.map((type) => ({
      name: type,
      type,
      url: "https://hooks.example.com",
      timeoutMs: 1000,
      retries: 0,
    })),
    ...changes,
  };
}

export function stateOf(changes: Partial<ReleaseState> = {}): ReleaseState {
  const release = { id: "rel_1", model: "spam", stable: "1.0.0", candidate: "2.0.0" };
  return { ...createReleaseState(release, START), ...changes };
}

/** Under way with 10 %, looked at for the first time. */
export const stepOne = stateOf({ phase: "progressing", step: 1, weight: 10 });
export const lastStep = stateOf({ phase: "progressing", step: 3, weight: 30 });

export function analysisOf(outcome: CheckOutcome, missingSamples = 0): Analysis {
  const check: CheckResult = {
    name: "success-rate",
    kind: "success_rate",
    isDecisive: true,
    outcome,
    value: 0.5,
    lower: 0.4,
    upper: 0.6,
    stableValue: 1,
    bound: 0.99,
    samples: 200,
    missingSamples,
    reason: "50 % of 200",
  };
  return { checks: [check], outcome, missingSamples };
}

export const PASS = analysisOf("pass");
export const FAIL = analysisOf("fail");
export const UNSURE = analysisOf("inconclusive");
export const QUIET = analysisOf("inconclusive", 80);

export const yes = (type: HookType): HookAnswer => ({ type, isAccepted: true, detail: null });
export const no = (type: HookType): HookAnswer => ({ type, isAccepted: false, detail: "not now" });

export interface DecisionRow {
  readonly when: string;
  readonly state: ReleaseState;
  readonly analysis?: Analysis | null;
  readonly plan?: ReleasePlan;
  readonly nowMs?: number;
  readonly inputs?: Partial<DecisionInputs>;
  readonly action: Partial<ReleaseAction>;
  readonly next?: Partial<ReleaseState>;
}

export function decideRow({
  state,
  analysis = null,
  plan = planOf(),
  nowMs = NOW,
  inputs = {},
}: DecisionRow) {
  return decide(state, analysis, plan, nowMs, {
    command: null,
    ready: { stable: true, candidate: true },
    candidateFailure: null,
    hookAnswers: [],
    canReplay: true,
    wasReplayed: false,
    ...inputs,
  });
}

/** A test per row. */
export function table(rows: readonly DecisionRow[]): void {
  test.each(rows.map((row) => [row.when, row] as const))("%s", (_, row) => {
    const { action, next } = decideRow(row);
    expect(action).toMatchObject(row.action);
    expect(next).toMatchObject(row.next ?? {});
  });
}

export const unready = { ready: { stable: true, candidate: false } };
export const holdsUncounted = { kind: "hold", isCheck: false } as const;
