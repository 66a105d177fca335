import { describe, expect, test } from "vitest";
import { decideHangTimeoutMs, isWorthAnotherTry, isWorthReplacing } from "./decide-failure.ts";

describe("a batch whose worker failed", () => {
  test("runs once more, and then is to blame", () => {
    expect(isWorthAnotherTry("died", 1, 0)).toBe(true);
    expect(isWorthAnotherTry("died", 2, 0)).toBe(false);
    expect(isWorthAnotherTry("hung", 1, 1)).toBe(true);
    expect(isWorthAnotherTry("hung", 2, 2)).toBe(false);
  });

  test("after a hang it does not cost another thread when one is lost already", () => {
    expect(isWorthAnotherTry("hung", 1, 2)).toBe(false);
    expect(isWorthAnotherTry("died", 1, 2)).toBe(true);
  });

  test("one text that always hangs leaves every place filled", () => {
    // Its batch, the second attempt of the batch, then alone: no second attempt any more.
    let lost = 0;
    let failures = 0;
    do {
      lost++;
      failures++;
    } while (isWorthAnotherTry("hung", failures, lost));
    lost++;
    expect(isWorthAnotherTry("hung", 1, lost)).toBe(false);
    expect(isWorthReplacing(lost)).toBe(true);
    expect(isWorthReplacing(lost + 1)).toBe(false);
  });
});

describe("when a run counts as hung", () => {
  test("at the configured time, later when the run is predicted to be long, or never", () => {
    expect(decideHangTimeoutMs(1_000, 5)).toBe(1_000);
    expect(decideHangTimeoutMs(1_000, 500)).toBe(10_000);
    expect(decideHangTimeoutMs(0, 500)).toBe(0);
  });
});
