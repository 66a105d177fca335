import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../errors.ts";
import {
  EMPTY_OBSERVATION,
  MAX_LABELS,
  MAX_PAIRS,
  mergeObservations,
  readSuccesses,
  SCORE_BINS,
} from "./observation.ts";
import type { ObservationRecorder } from "./observation-recorder.ts";
import { createObservationRecorder } from "./observation-recorder.ts";

const LABELS = ["ham", "spam", "news", "__proto__", "café"];
const label = fc.constantFrom(...LABELS, null);

type Happening = (recorder: ObservationRecorder) => void;

const answers = fc
  .record({
    latencyMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
    best: label,
    confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
    scores: fc.option(fc.array(fc.double(), { minLength: 5, maxLength: 5 }), { nil: null }),
  })
  .map(({ scores, ...answer }): Happening => {
    const all = scores === null ? null : { labels: LABELS, scores };
    return (recorder) => recorder.recordAnswer({ ...answer, all });
  });
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    answers,
    fc.constantFrom(...ERROR_CODES).map(
      (code): Happening =>
        (to) =>
          to.recordFailure(code),
    ),
    fc.tuple(label, label).map(
      ([one, other]): Happening =>
        (to) =>
          to.recordAgreement(one, other),
    ),
    fc.boolean().map(
      (isRight): Happening =>
        (to) =>
          to.recordFeedback(isRight),
    ),
    fc.nat({ max: 9 }).map(
      (right): Happening =>
        (to) =>
          to.recordGate(`set-${right % 3}`, right, 9),
    ),
    fc.nat({ max: 9 }).map(
      (agreed): Happening =>
        (to) =>
          to.recordOutputs(`metric-${agreed % 3}`, { agreed, disagreed: 9 - agreed }),
    ),
  ),
  { maxLength: 40 },
);

function observe(happened: readonly Happening[]) {
  const recorder = createObservationRecorder();
  for (const happening of happened) happening(recorder);
  return recorder.read();
}

describe("observations", () => {
  test("of parts, merged in any order, are the observation of the whole", () => {
    fc.assert(
      fc.property(happenings, happenings, happenings, (a, b, c) => {
        const [one, two, three] = [observe(a), observe(b), observe(c)];
        const all = observe([...a, ...b, ...c]);
        expect(mergeObservations(mergeObservations(one, two), three)).toEqual(all);
        expect(mergeObservations(one, mergeObservations(two, three))).toEqual(all);
        expect(mergeObservations(mergeObservations(three, one), two)).toEqual(all);
        expect(mergeObservations(EMPTY_OBSERVATION, one)).toEqual(one);
      }),
    );
  });

  test("survive JSON", () => {
    fc.assert(
      fc.property(happenings, (happened) => {
        const observation = observe(happened);
        expect(JSON.parse(JSON.stringify(observation))).toEqual(observation);
      }),
    );
  });

  test("that are taken begin anew, and nothing is lost between", () => {
    fc.assert(
      fc.property(happenings, happenings, (a, b) => {
        const recorder = createObservationRecorder();
        for (const happening of a) happening(recorder);
        const first = recorder.take();
        for (const happening of b) happening(recorder);
        expect(first).toEqual(observe(a));
        expect(recorder.take()).toEqual(observe(b));
        expect(recorder.read()).toEqual(EMPTY_OBSERVATION);
      }),
    );
  });
});

describe("with more labels than are counted one by one", () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 4 * MAX_LABELS }), {
    minLength: 0,
    maxLength: 2 * MAX_LABELS,
  });
  const observeLabels = (numbers: readonly number[]) => {
    const recorder = createObservationRecorder();
    for (const number of numbers) {
      const best = `label-${String(number).padStart(5, "0")}`;
      const all = { labels: [best], scores: [0.5] };
      recorder.recordAnswer({ latencyMs: 1, best, confidence: 0.5, all });
    }
    return recorder.read();
  };

  test("merging keeps the size, the order still does not matter, and no answer is lost", () => {
    fc.assert(
      fc.property(names, names, names, (a, b, c) => {
        const [one, two, three] = [observeLabels(a), observeLabels(b), observeLabels(c)];
        const merged = mergeObservations(mergeObservations(one, two), three);
        expect(mergeObservations(three, mergeObservations(two, one))).toEqual(merged);
        expect(merged.labels.length).toBeLessThanOrEqual(MAX_LABELS);
        const counted = merged.labels.reduce((sum, { best }) => sum + best, merged.otherBest);
        expect(counted).toBe(a.length + b.length + c.length);
      }),
      { numRuns: 30 },
    );
  });

  test("a recorder stays as small as what it gives", () => {
    const all = Array.from({ length: 3000 }, (_, at) => 2999 - at);
    const { labels, otherBest } = observeLabels(all);
    expect(labels.map(({ label }) => label)).toEqual(
      Array.from({ length: MAX_LABELS }, (_, at) => `label-${String(at).padStart(5, "0")}`),
    );
    expect(otherBest).toBe(3000 - MAX_LABELS);
  });

  test("pairs of labels are limited in the same way", () => {
    const recorder = createObservationRecorder();
    for (let at = 0; at < 3 * MAX_PAIRS; at++) recorder.recordAgreement("a", `b${at}`);
    const { agreement } = recorder.read();
    expect(agreement.pairs).toHaveLength(MAX_PAIRS);
    expect(agreement.otherPairs).toBe(2 * MAX_PAIRS);
    expect(agreement.disagreed).toBe(3 * MAX_PAIRS);
  });
});

test("scores go into bins of equal width, with both ends inside; what is no number shows at 0", () => {
  const recorder = createObservationRecorder();
  for (const score of [0, 0.049, 0.05, 0.999, 1, 7, -1, Number.NaN]) {
    const all = { labels: ["spam"], scores: [score] };
    recorder.recordAnswer({ latencyMs: 1, best: "spam", confidence: null, all });
  }
  const [spam] = recorder.read().labels;
  const expected = new Array<number>(SCORE_BINS).fill(0);
  expected[0] = 4;
  expected[1] = 1;
  expected[SCORE_BINS - 1] = 3;
  expect(spam).toEqual({ label: "spam", best: 8, scores: expected });
});

test("what a caller did wrong, or did not wait for, does not speak against a version", () => {
  const recorder = createObservationRecorder();
  recorder.recordAnswer({ latencyMs: 1, best: null, confidence: null, all: null });
  for (const code of ["invalid_argument", "cancelled", "rate_limited"] as const) {
    recorder.recordFailure(code);
  }
  for (const code of ["model_failed", "deadline_exceeded"] as const) recorder.recordFailure(code);
  expect(readSuccesses(recorder.read())).toEqual({ successes: 1, trials: 3 });
});
