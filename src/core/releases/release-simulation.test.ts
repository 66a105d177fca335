import { describe, expect, test } from "vitest";
import type { Analysis } from "./analyse.ts";
import { analyse } from "./analyse.ts";
import { decide } from "./decide.ts";
import type { ReleaseEvent } from "./decision.ts";
import type { Observation } from "./observation.ts";
import { EMPTY_OBSERVATION, mergeObservations } from "./observation.ts";
import { createObservationRecorder } from "./observation-recorder.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { createPlan } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { createReleaseState } from "./release-state.ts";
import { toTrafficSplit } from "./to-traffic-split.ts";

const MINUTE = 60_000;
const LABELS = ["billing", "shipping", "other"];

/** Mulberry32 (Tommy Ettinger, public domain): the same draws in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How a version answers. */
interface Version {
  readonly failureRate: number;
  /** Times the usual latency. */
  readonly slowness: number;
  /** Place of the label that it gives for a text about label number `truth`. */
  readonly answer: (truth: number) => number;
}

const GOOD: Version = { failureRate: 0.001, slowness: 1, answer: (truth) => truth };

interface World {
  readonly plan: ReleasePlan;
  readonly candidate: Version;
  readonly requestsPerMinute: number;
  readonly canReplay: boolean;
  readonly seed: number;
}

/** A release of at most two hours, with requests and checks as a gateway would have them. */
function simulate({ plan, candidate, requestsPerMinute, canReplay, seed }: World) {
  const random = createRandom(seed);
  let state = createReleaseState(
    { id: `rel_${seed}`, model: "topics", stable: "1", candidate: "2" },
    0,
  );
  let windows = { stable: EMPTY_OBSERVATION, candidate: EMPTY_OBSERVATION };
  let windowStartedAtMs = 0;
  const events: ReleaseEvent[] = [];
  const ready = { stable: true, candidate: true };
  for (let nowMs = 0; nowMs <= 120 * MINUTE && state.finishedAtMs === null; nowMs += MINUTE) {
    const split = toTrafficSplit(plan, state, ready);
    const share = split.candidateWeight / 100;
    const seen = answer(random, candidate, requestsPerMinute, share, split.mirrorShare / 100);
    windows = merge(windows, seen);
    let wasReplayed = false;
    for (let round = 0; round < 5; round++) {
      const analysis = analyseNow(plan, state, windows);
      const inputs = {
        command: null,
        ready,
        candidateFailure: null,
        hookAnswers: [],
        canReplay,
        wasReplayed,
      };
      const decision = decide(state, analysis, plan, nowMs, inputs);
      state = decision.next;
      if (decision.event !== null) events.push(decision.event);
      if (state.windowStartedAtMs > windowStartedAtMs) {
        windowStartedAtMs = state.windowStartedAtMs;
        windows = { stable: EMPTY_OBSERVATION, candidate: EMPTY_OBSERVATION };
      }
      if (decision.action.kind !== "replay") break;
      wasReplayed = true;
      windows = merge(windows, answer(random, candidate, decision.action.maxTexts, 0, 1));
    }
  }
  return { state, events };
}

interface Windows {
  readonly stable: Observation;
  readonly candidate: Observation;
}

function analyseNow(plan: ReleasePlan, state: ReleaseState, windows: Windows): Analysis | null {
  if (state.step === 0) return null;
  const extra = { look: state.looks + 1, queries: new Map() };
  return analyse(plan, windows.stable, windows.candidate, extra);
}

function merge(a: Windows, b: Windows): Windows {
  return {
    stable: mergeObservations(a.stable, b.stable),
    candidate: mergeObservations(a.candidate, b.candidate),
  };
}

function answer(
  random: () => number,
  candidate: Version,
  requests: number,
  share: number,
  mirrorShare: number,
): Windows {
  const recorders = { stable: createObservationRecorder(), candidate: createObservationRecorder() };
  for (let at = 0; at < requests; at++) {
    const truth = Math.floor(random() ** 1.5 * LABELS.length);
    const ask = (name: "stable" | "candidate") => {
      const version = name === "stable" ? GOOD : candidate;
      if (random() < version.failureRate) {
        recorders[name].recordFailure("model_failed");
        return null;
      }
      const place = version.answer(truth);
      const confidence = 0.6 + 0.4 * random();
      const scores = LABELS.map((_, label) =>
        label === place ? confidence : (1 - confidence) / 2,
      );
      const best = LABELS[place] ?? null;
      const latencyMs = version.slowness * (20 - 15 * Math.log(1 - random()));
      recorders[name].recordAnswer({
        latencyMs,
        best,
        confidence,
        all: { labels: LABELS, scores },
      });
      return best;
    };
    if (random() < share) {
      ask("candidate");
      continue;
    }
    const best = ask("stable");
    if (random() >= mirrorShare) continue;
    const other = ask("candidate");
    if (best !== null && other !== null) recorders.candidate.recordAgreement(best, other);
  }
  return { stable: recorders.stable.read(), candidate: recorders.candidate.read() };
}

const plan: ReleasePlan = createPlan({
  model: "topics",
  candidate: "2",
  strategy: { kind: "canary", stepWeight: 20, maxWeight: 60, stepWeights: null },
  hasLabels: true,
  gateSet: null,
});
const world: World = { plan, candidate: GOOD, requestsPerMinute: 5000, canReplay: true, seed: 1 };

describe("a release, played through", () => {
  test("of a good version goes up step by step and is promoted", () => {
    const { state, events } = simulate(world);
    expect(state.phase).toBe("succeeded");
    expect(state.failures).toBe(0);
    expect(events.map(({ action, weight }) => `${action} ${weight}`)).toEqual([
      "start 0",
      "advance 20",
      "advance 40",
      "advance 60",
      "promote 100",
      "finalise 100",
      "finish 100",
    ]);
  });

  test("of a version with two labels swapped goes back from the first step, though it is fast and never fails", () => {
    const swap = [1, 0, 2];
    const candidate = { ...GOOD, failureRate: 0, answer: (truth: number) => swap[truth] ?? 0 };
    const { state } = simulate({ ...world, candidate });
    expect(state).toMatchObject({ phase: "failed", step: 1 });
    expect(state.reason).toMatch(/disagreement: .* is above 10 %/);
  });

  test("of a slow version goes back on latency", () => {
    const { state } = simulate({ ...world, candidate: { ...GOOD, slowness: 3 } });
    expect(state).toMatchObject({ phase: "failed", step: 1 });
    expect(state.reason).toMatch(/^latency-p99: [\d.]+ times stable/);
  });

  test("of a version that crashes goes back on the success rate", () => {
    const { state } = simulate({ ...world, candidate: { ...GOOD, failureRate: 0.2 } });
    expect(state).toMatchObject({ phase: "failed", step: 1 });
    expect(state.reason).toMatch(/success-rate: .* is below 99 %/);
  });

  test("in quiet hours is held, then decided by replayed texts", () => {
    const { state, events } = simulate({ ...world, requestsPerMinute: 3 });
    expect(state.phase).toBe("succeeded");
    expect(events.map(({ action }) => action).slice(0, 6)).toEqual([
      "start",
      "advance",
      "hold",
      "hold",
      "replay",
      "advance",
    ]);
  });

  test("of a bad version in quiet hours is found out by replayed texts", () => {
    const candidate = { ...GOOD, answer: () => 2 };
    const { state } = simulate({ ...world, candidate, requestsPerMinute: 3 });
    expect(state).toMatchObject({ phase: "failed", step: 1 });
  });

  test("with no requests and nothing to replay waits for a person", () => {
    const { state } = simulate({ ...world, requestsPerMinute: 0, canReplay: false });
    expect(state).toMatchObject({ phase: "paused", step: 1, failures: 0 });
  });

  test("as a shadow never gives the candidate a request, and waits for a person in the end", () => {
    const strategy = { kind: "shadow", share: 30, iterations: 3 } as const;
    const basics = { model: "topics", candidate: "2", strategy, hasLabels: true, gateSet: null };
    const { state, events } = simulate({ ...world, plan: createPlan(basics) });
    expect(state.phase).toBe("waiting_promotion");
    for (const { weight } of events) expect(weight).toBe(0);
  });
});

test("of 200 releases of versions that are no worse, looked at each minute, no more than 5 % see a failed check", () => {
  let alarms = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const { state } = simulate({ ...world, requestsPerMinute: 400, seed });
    if (state.failures > 0) alarms++;
  }
  expect(alarms / 200).toBeLessThanOrEqual(0.05);
});
