import { describe, expect, test } from "vitest";
import { computeCalibrationError, computeClassificationMetrics } from "./classification-metrics.ts";
import { evaluateClassifier } from "./evaluate-classifier.ts";
import { formatConfusion, formatMetrics } from "./format-report.ts";
import { computeWilsonInterval } from "./intervals.ts";

/** `positive` of `count` examples of a label are predicted as label 1 with the given confidence. */
function createScored(label: number, count: number, positive: number, confidence = 0.9) {
  return Array.from({ length: count }, (_, i) => {
    const p = i < positive ? confidence : 1 - confidence;
    return { label, probabilities: [1 - p, p] };
  });
}

describe("metrics", () => {
  const examples = [...createScored(0, 10, 2), ...createScored(1, 30, 24)];
  const metrics = computeClassificationMetrics(examples, 2);

  test("accuracy counts texts, balanced accuracy counts labels alike", () => {
    expect(metrics.accuracy).toBeCloseTo(32 / 40);
    expect(metrics.balancedAccuracy).toBeCloseTo((0.8 + 0.8) / 2);
    expect(metrics.confusion).toEqual([
      [8, 2],
      [6, 24],
    ]);
  });

  test("macro F1 is the mean over labels", () => {
    expect(metrics.macroF1).toBeCloseTo(((2 * 8) / (10 + 14) + (2 * 24) / (30 + 26)) / 2);
  });

  test("labels that never occur are no part of any mean", () => {
    const three = computeClassificationMetrics(
      examples.map((e) => ({ ...e, probabilities: [...e.probabilities, 0] })),
      3,
    );
    expect(three.balancedAccuracy).toBeCloseTo(metrics.balancedAccuracy);
    expect(three.macroF1).toBeCloseTo(metrics.macroF1);
  });

  test("no examples give zeros, not NaN", () => {
    expect(computeClassificationMetrics([], 2)).toMatchObject({ accuracy: 0, macroF1: 0 });
  });
});

test("calibration error is the gap between confidence and accuracy", () => {
  expect(computeCalibrationError(createScored(1, 10, 9, 0.9))).toBeCloseTo(0);
  expect(computeCalibrationError(createScored(1, 10, 10, 0.7))).toBeCloseTo(0.3);
});

test("Wilson intervals agree with the published example of 15 in 20", () => {
  const { low, high } = computeWilsonInterval(15, 20);
  expect(low).toBeCloseTo(0.5313, 3);
  expect(high).toBeCloseTo(0.8881, 3);
  expect(computeWilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
});

describe("evaluating a classifier", () => {
  const classifier = {
    labels: ["no", "yes"],
    predict: async (texts: readonly string[]) =>
      texts.map((text) => (text.startsWith("y") ? [0.2, 0.8] : [0.8, 0.2])),
  };

  test("asks in chunks and keeps texts and answers together", async () => {
    const examples = Array.from({ length: 600 }, (_, i) =>
      i % 3 === 0 ? { text: "y", label: "yes" } : { text: "n", label: "no" },
    );
    const progress: number[] = [];
    const metrics = await evaluateClassifier(classifier, examples, (done) => progress.push(done));
    expect(metrics.accuracy).toBe(1);
    expect(progress).toEqual([256, 512, 600]);
  });

  test("refuses labels that the model does not know", async () => {
    const examples = [{ text: "y", label: "maybe" }];
    await expect(evaluateClassifier(classifier, examples)).rejects.toThrow('"maybe"');
  });
});

describe("reports", () => {
  test("align the confusion matrix", () => {
    expect(
      formatConfusion(
        [
          [8, 2],
          [6, 240],
        ],
        ["negative", "ok"],
      ),
    ).toBe(
      "true \\ predicted  negative   ok\nnegative                 8    2\nok                       6  240",
    );
  });

  test("list the most frequent mistakes when there are many labels", () => {
    const labels = Array.from({ length: 20 }, (_, i) => `label ${i}`);
    const confusion = labels.map((_, a) => labels.map((__, p) => (a === p ? 9 : a === 3 ? p : 0)));
    const lines = formatConfusion(confusion, labels).split("\n");
    expect(lines).toHaveLength(1 + 15);
    expect(lines[1]).toBe("label 3  label 19      19");
  });

  test("state the interval beside the accuracy", () => {
    const metrics = computeClassificationMetrics(createScored(1, 20, 15), 2);
    expect(formatMetrics(metrics, ["a", "b"])).toContain("75.0 %  (95 %: 53.1–88.8 %)");
  });
});
