import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Analysis } from "./analyse.ts";
import { decide } from "./decide.ts";
import type { DecisionInputs } from "./decision.ts";
import type { ReleaseCommand } from "./release-command.ts";
import { isFinishedPhase, isLegalPhaseStep, RELEASE_PHASES } from "./release-phase.ts";
import type { ReleasePlan, ReleaseStrategy } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY, HOOK_TYPES, listStepWeights } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { createReleaseState } from "./release-state.ts";
import { toTrafficSplit } from "./to-traffic-split.ts";

const strategies: fc.Arbitrary<ReleaseStrategy> = fc.oneof(
  fc.integer({ min: 5, max: 99 }).map((stepWeight) => ({
    ...DEFAULT_STRATEGY,
    stepWeight,
    maxWeight: null,
  })),
  fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { minLength: 1, maxLength: 6 }).map(
    (hundredths): ReleaseStrategy => ({
      ...DEFAULT_STRATEGY,
      stepWeight: null,
      maxWeight: null,
      stepWeights: [...hundredths.sort((a, b) => a - b), 10_000].map((weight) => weight / 100),
    }),
  ),
  fc.integer({ min: 1, max: 5 }).map((iterations) => ({ kind: "blue_green", iterations }) as const),
  fc
    .integer({ min: 1, max: 5 })
    .map((iterations) => ({ kind: "shadow", share: 7.5, iterations }) as const),
  fc.integer({ min: 1, max: 5 }).map((iterations): ReleaseStrategy => {
    const match = { source: "header", name: "x-beta", test: "exact", value: "1" } as const;
    return { kind: "ab", iterations, matches: [match] };
  }),
);

const plans: fc.Arbitrary<ReleasePlan> = fc
  .record({
    strategy: strategies,
    types: fc.subarray([...HOOK_TYPES]),
    promotion: fc.constantFrom("automatic" as const, "manual" as const),
    maxInconclusive: fc.integer({ min: 3, max: 6 }),
  })
  .map(({ strategy, types, promotion, maxInconclusive }) => ({
    ...createPlan({ model: "spam", candidate: "2", strategy, hasLabels: true, gateSet: null }),
    promotion,
    maxInconclusive,
    hooks: types.map((type) => ({
      name: type,
      type,
      url: "https://hooks.example.com",
      timeoutMs: 1000,
      retries: 0,
    })),
  }));

const by = "ada";
const commands: fc.Arbitrary<ReleaseCommand> = fc.constantFrom(
  { kind: "pause", by } as const,
  { kind: "resume", by } as const,
  { kind: "promote", by } as const,
  { kind: "rollback", by } as const,
  { kind: "new_candidate", by, candidate: "3" } as const,
);

const PASS: Analysis = { checks: [], outcome: "pass", missingSamples: 0 };
const FAIL: Analysis = { checks: [], outcome: "fail", missingSamples: 0 };
const QUIET: Analysis = { checks: [], outcome: "inconclusive", missingSamples: 5 };
const analyses = fc.constantFrom(PASS, PASS, PASS, PASS, PASS, PASS, FAIL, QUIET, null);

interface Moment {
  readonly afterMs: number;
  readonly analysis: Analysis | null;
  readonly inputs: DecisionInputs;
}

/** Mostly the usual, so that releases get far; and everything else now and then. */
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof(
    { weight: 25, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...others) },
  );

const moments: fc.Arbitrary<Moment> = fc.record({
  afterMs: fc.constantFrom(60_000, 60_000, 60_000, 0, 1_000, 700_000),
  analysis: analyses,
  inputs: fc.record({
    command: fc.oneof(
      { weight: 20, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: commands },
    ),
    ready: fc.record({ stable: mostly(true, false), candidate: mostly(true, false) }),
    candidateFailure: mostly<string | null>(null, "it broke"),
    hookAnswers: fc.tuple(
      ...HOOK_TYPES.map((type) =>
        (type === "rollback" ? mostly(false, true) : fc.constantFrom(true, true, true, false)).map(
          (isAccepted) => ({ type, isAccepted, detail: null }),
        ),
      ),
    ),
    canReplay: fc.boolean(),
    wasReplayed: fc.boolean(),
  }),
});

function begin(): ReleaseState {
  return createReleaseState({ id: "rel_1", model: "spam", stable: "1", candidate: "2" }, 0);
}

/** All states that a release goes through, with the moment that led to each. */
function play(plan: ReleasePlan, all: readonly Moment[]) {
  let state = begin();
  let nowMs = 0;
  return all.map((moment) => {
    nowMs += moment.afterMs;
    const before = state;
    const decision = decide(state, moment.analysis, plan, nowMs, moment.inputs);
    state = decision.next;
    return { before, after: state, moment, nowMs, decision };
  });
}

const lives = fc.tuple(plans, fc.array(moments, { minLength: 1, maxLength: 60, size: "max" }));

const CALM: DecisionInputs = {
  command: null,
  ready: { stable: true, candidate: true },
  candidateFailure: null,
  hookAnswers: [],
  canReplay: false,
  wasReplayed: false,
};

describe("whatever happens to a release", () => {
  test("it takes legal steps only", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { before, after } of play(plan, all)) {
          if (before.phase === after.phase && before.revision === after.revision) continue;
          expect(isLegalPhaseStep(before.phase, after.phase)).toBe(true);
        }
      }),
    );
  });

  test("weights add up to 100, and a version that is not ready gets no traffic while the other one is", () => {
    const readiness = fc.record({ stable: fc.boolean(), candidate: fc.boolean() });
    fc.assert(
      fc.property(lives, readiness, ([plan, all], ready) => {
        for (const { after } of play(plan, all)) {
          const split = toTrafficSplit(plan, after, ready);
          expect(split.stableWeight + split.candidateWeight).toBeCloseTo(100, 9);
          expect(split.candidateWeight).toBeGreaterThanOrEqual(0);
          expect(split.stableWeight).toBeGreaterThanOrEqual(0);
          if (!ready.candidate) {
            expect(split).toMatchObject({ candidateWeight: 0, matches: [], mirrorShare: 0 });
          }
          if (ready.candidate && !ready.stable) expect(split.stableWeight).toBe(0);
        }
      }),
    );
  });

  test("the candidate of a release that goes back has nothing while stable can answer", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { after } of play(plan, all)) {
          if (after.phase !== "rolling_back" && after.phase !== "failed") continue;
          const split = toTrafficSplit(plan, after, { stable: true, candidate: true });
          expect(split).toMatchObject({ candidateWeight: 0, matches: [], mirrorShare: 0 });
        }
      }),
    );
  });

  test("a release ends as failed only when stable can answer, or the candidate cannot", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { before, after, moment } of play(plan, all)) {
          if (after.phase !== "failed" || before.phase === "failed") continue;
          const { stable, candidate } = moment.inputs.ready;
          expect(stable || !candidate).toBe(true);
        }
      }),
    );
  });

  test("a person can roll back in every phase that is not finished, without any measurement", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { after, nowMs } of play(plan, all)) {
          if (isFinishedPhase(after.phase)) continue;
          const command = { kind: "rollback", by } as const;
          const { next } = decide(after, null, plan, nowMs, { ...CALM, command });
          expect(next.phase).toBe("rolling_back");
          expect(next.weight).toBe(0);
        }
      }),
    );
  });

  test("its state survives JSON, so that another replica decides the same", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { before, moment, nowMs, decision } of play(plan, all)) {
          const stored: ReleaseState = JSON.parse(JSON.stringify(before));
          expect(decide(stored, moment.analysis, plan, nowMs, moment.inputs)).toEqual(decision);
        }
      }),
    );
  });

  test("weights rise step by step, and nothing but a pass raises them", () => {
    fc.assert(
      fc.property(lives, ([plan, all]) => {
        for (const { before, after, moment } of play(plan, all)) {
          if (after.phase !== "progressing" || after.step <= before.step) continue;
          expect(after.step).toBe(before.step + 1);
          expect(after.weight).toBe(listStepWeights(plan.strategy)[after.step - 1]);
          if (before.step > 0) expect(moment.analysis?.outcome).toBe("pass");
        }
      }),
    );
  });
});

/** A minute after a minute, with every question answered at once. */
function runCalmly(plan: ReleasePlan, analysis: Analysis | null, maxChecks: number): ReleaseState {
  let state = begin();
  const hookAnswers = HOOK_TYPES.map((type) => ({
    type,
    isAccepted: type !== "rollback",
    detail: null,
  }));
  for (let check = 0; check < maxChecks; check++) {
    const nowMs = check * 60_000;
    state = decide(state, analysis, plan, nowMs, { ...CALM, hookAnswers }).next;
  }
  return state;
}

describe("a release that nothing disturbs", () => {
  const steps = (plan: ReleasePlan) => listStepWeights(plan.strategy).length;

  test("goes live when every check passes, and then has everything", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const automatic: ReleasePlan = { ...plan, promotion: "automatic" };
        const end = runCalmly(automatic, PASS, steps(plan) + 6);
        expect(end.phase).toBe("succeeded");
        const split = toTrafficSplit(automatic, end, { stable: true, candidate: true });
        expect(split.candidateWeight).toBe(100);
      }),
    );
  });

  test("goes back from its first step when every check fails", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const end = runCalmly(plan, FAIL, plan.maxConsecutiveFailures + 4);
        expect(end.phase).toBe("failed");
        expect(end.step).toBe(1);
      }),
    );
  });

  test("stands still for a person when no check ever says anything", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const end = runCalmly(plan, null, plan.maxInconclusive + 4);
        expect(end.phase).toBe("paused");
        expect(end.failures).toBe(0);
        expect(end.step).toBe(1);
      }),
    );
  });
});

test("every phase is reached, and rollback is a legal step from each that is not finished", () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(lives, ([plan, all]) => {
      for (const { after } of play(plan, all)) reached.add(after.phase);
    }),
    { numRuns: 300, seed: 1 },
  );
  expect([...reached].sort()).toEqual([...RELEASE_PHASES].sort());
  for (const phase of RELEASE_PHASES) {
    if (isFinishedPhase(phase) || phase === "rolling_back") continue;
    expect(isLegalPhaseStep(phase, "rolling_back")).toBe(true);
  }
});
