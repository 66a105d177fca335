import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseFault, isFaultMatch } from "./choose-fault.ts";
import type { FaultFacts, FaultMatch, FaultRule } from "./fault-rule.ts";

const ANYTHING: FaultMatch = {
  everything: true,
  model: null,
  version: null,
  key: null,
  headers: [],
};
const percents = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
const words = fc.constantFrom("a", "b", "ab", "ba");

function ruleOf(changes: Partial<FaultRule> = {}): FaultRule {
  const abort = { percent: 100, httpStatus: 503, grpcStatus: null };
  return { name: "one", match: ANYTHING, delay: null, abort, expiresAtMs: 1000, ...changes };
}

function factsOf(changes: Partial<FaultFacts> = {}): FaultFacts {
  const nobody = { keyId: null, headers: new Map<string, string>() };
  return { requestId: "1", model: "a", version: "1.0.0", ...nobody, ...changes };
}

const matches: fc.Arbitrary<FaultMatch> = fc.record({
  everything: fc.constant(false),
  model: fc.option(words),
  version: fc.option(words),
  key: fc.option(words),
  headers: fc.array(
    fc.record({
      name: words,
      test: fc.constantFrom("exact", "prefix", "suffix"),
      value: words,
    }),
    { maxLength: 2 },
  ),
});
const requests: fc.Arbitrary<FaultFacts> = fc.record({
  requestId: fc.uuid(),
  model: words,
  version: fc.option(words),
  keyId: fc.option(words),
  headers: fc
    .array(fc.tuple(words, words), { maxLength: 3 })
    .map((entries) => new Map<string, string>(entries)),
});

describe("the share of a rule", () => {
  test("holds within 1 %, for delays and aborts each by itself", () => {
    fc.assert(
      fc.property(percents, percents, fc.uuid(), (delayed, aborted, seed) => {
        const rule = ruleOf({
          name: `rule-${seed}`,
          delay: { percent: delayed, fixedDelayMs: 5 },
          abort: { percent: aborted, httpStatus: 503, grpcStatus: null },
        });
        let [delays, aborts, both] = [0, 0, 0];
        for (let at = 0; at < 60_000; at++) {
          const chosen = chooseFault([rule], factsOf({ requestId: `${seed}-${at}` }), 0);
          const isDelayed = (chosen?.delayMs ?? 0) > 0;
          const isAborted = (chosen?.abort ?? null) !== null;
          if (isDelayed) delays++;
          if (isAborted) aborts++;
          if (isDelayed && isAborted) both++;
        }
        // 1 % are almost five standard deviations of 60 000 draws at 50 %.
        expect(Math.abs(delays / 600 - delayed)).toBeLessThan(1);
        expect(Math.abs(aborts / 600 - aborted)).toBeLessThan(1);
        expect(Math.abs(both / 600 - (delayed * aborted) / 100)).toBeLessThan(1);
      }),
      { numRuns: 20 },
    );
  });

  test("is within 1 % of what was asked, over 200 000 requests", () => {
    for (const percent of [0.01, 0.5, 10, 33.33, 99.99]) {
      const rule = ruleOf({ abort: { percent, httpStatus: 500, grpcStatus: null } });
      let hits = 0;
      for (let at = 0; at < 200_000; at++) {
        if (chooseFault([rule], factsOf({ requestId: `r${at}` }), 0) !== undefined) hits++;
      }
      expect(Math.abs(hits / 2000 - percent), `${percent} %`).toBeLessThan(0.5);
    }
  });

  test("of nothing is nothing, and of everything everything", () => {
    fc.assert(
      fc.property(requests, (facts) => {
        const never = ruleOf({ abort: { percent: 0, httpStatus: 500, grpcStatus: null } });
        expect(chooseFault([never], facts, 0)).toBeUndefined();
        expect(chooseFault([ruleOf()], facts, 0)?.rule).toBe("one");
      }),
    );
  });
});

test("a rule touches what has all that it names, and nothing else", () => {
  fc.assert(
    fc.property(matches, requests, (match, facts) => {
      const hasHeaders = match.headers.every(({ name, test: how, value }) => {
        const found = facts.headers.get(name);
        if (found === undefined) return false;
        if (how === "exact") return found === value;
        return how === "prefix" ? found.startsWith(value) : found.endsWith(value);
      });
      const isNamed =
        (match.model ?? facts.model) === facts.model &&
        (match.version ?? facts.version) === facts.version &&
        (match.key ?? facts.keyId) === facts.keyId;
      expect(isFaultMatch(match, facts)).toBe(hasHeaders && isNamed);
      const chosen = chooseFault([ruleOf({ match })], facts, 0);
      expect(chosen !== undefined).toBe(hasHeaders && isNamed);
    }),
    { numRuns: 2000 },
  );
});

test("the first rule that matches decides, also when its draw spares the request", () => {
  const spared = ruleOf({ abort: { percent: 0, httpStatus: 500, grpcStatus: null } });
  const other = ruleOf({ name: "other" });
  const elsewhere = ruleOf({ match: { ...ANYTHING, everything: false, model: "b" } });
  expect(chooseFault([spared, other], factsOf(), 0)).toBeUndefined();
  expect(chooseFault([elsewhere, other], factsOf(), 0)?.rule).toBe("other");
});

test("a rule that has ended does nothing, and leaves the request to the next", () => {
  expect(chooseFault([ruleOf()], factsOf(), 999)?.rule).toBe("one");
  expect(chooseFault([ruleOf()], factsOf(), 1000)).toBeUndefined();
  const next = ruleOf({ name: "next", expiresAtMs: 2000 });
  expect(chooseFault([ruleOf(), next], factsOf(), 1000)?.rule).toBe("next");
});

test("the same request has the same fate in every process", () => {
  const rule = ruleOf({ abort: { percent: 50, httpStatus: 500, grpcStatus: null } });
  fc.assert(
    fc.property(requests, (facts) => {
      expect(chooseFault([rule], { ...facts }, 0)).toEqual(chooseFault([{ ...rule }], facts, 0));
    }),
  );
});
