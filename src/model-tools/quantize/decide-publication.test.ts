import { expect, test } from "vitest";
import type { GateMeasurement } from "./decide-publication.ts";
import { decidePublication } from "./decide-publication.ts";

function measured(change: Partial<GateMeasurement> = {}): GateMeasurement {
  return {
    name: "reviews.csv",
    texts: 200,
    accuracy: { float: 0.9, quantized: 0.897 },
    balancedAccuracy: { float: 0.9, quantized: 0.898 },
    agreement: 0.99,
    meanDrift: 0.01,
    maxDrift: 0.2,
    ...change,
  };
}

test("a loss within what is allowed passes, and is named", () => {
  const decision = decidePublication([measured()], 0.5);
  expect(decision.isAllowed).toBe(true);
  expect(decision.lossPoints).toBeCloseTo(0.3);
  expect(decision.reason).toBe(
    "It loses 0.30 points of accuracy on reviews.csv (200 texts), within the 0.5 allowed.",
  );
});

test("a loss of exactly what is allowed passes", () => {
  const accuracy = { float: 0.9, quantized: 0.895 };
  expect(decidePublication([measured({ accuracy })], 0.5).isAllowed).toBe(true);
});

test("one data set on which too much is lost is enough to refuse", () => {
  const worse = measured({ name: "news.csv", accuracy: { float: 0.8, quantized: 0.79 } });
  const decision = decidePublication([measured(), worse], 0.5);
  expect(decision.isAllowed).toBe(false);
  expect(decision.reason).toBe(
    "It loses 1.00 points of accuracy on news.csv (200 texts), more than the 0.5 allowed.",
  );
});

test("a rare label that is lost shows in balanced accuracy", () => {
  const balancedAccuracy = { float: 0.9, quantized: 0.85 };
  const decision = decidePublication([measured({ balancedAccuracy })], 0.5);
  expect(decision).toMatchObject({ isAllowed: false, lossPoints: expect.closeTo(5) });
  expect(decision.reason).toContain("balanced accuracy");
});

test("better than the float model is no loss", () => {
  const accuracy = { float: 0.9, quantized: 0.91 };
  const balancedAccuracy = accuracy;
  const decision = decidePublication([measured({ accuracy, balancedAccuracy })], 0);
  expect(decision.isAllowed).toBe(true);
  expect(decision.reason).toContain("loses nothing: it wins 1.00 points");
});

test("without labels agreement decides, and without those too, similarity", () => {
  const unlabelled = measured({ accuracy: undefined, balancedAccuracy: undefined });
  expect(decidePublication([unlabelled], 0.5)).toMatchObject({
    isAllowed: false,
    lossPoints: expect.closeTo(1),
  });
  const features = { ...unlabelled, agreement: undefined, meanDrift: 0.004 };
  expect(decidePublication([features], 0.5)).toMatchObject({
    isAllowed: true,
    lossPoints: expect.closeTo(0.4),
  });
});

test("nothing measured, nothing published", () => {
  expect(decidePublication([], 100).isAllowed).toBe(false);
});
