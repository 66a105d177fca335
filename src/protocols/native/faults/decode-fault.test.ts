import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SluiceError } from "../../../core/errors.ts";
import { decodeFault } from "./decode-fault.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { encodeFault } from "./encode-fault.ts";

const NOW = 1_700_000_000_000;
const FINE = {
  match: {
    model: "reviews",
    version: "1.0.0",
    key: "ann",
    headers: { "X-User": { exact: "7" }, "x-group": { prefix: "beta" } },
  },
  delay: { percentage: { value: 10 }, fixedDelay: "5s" },
  abort: { percentage: { value: 50 }, httpStatus: 503 },
  ttl: "10m",
};

function problemsOf(body: unknown, name = "one"): readonly string[] {
  try {
    decodeFault(name, body, NOW);
    return [];
  } catch (thrown) {
    return (thrown as SluiceError).details.map(({ field }) => field);
  }
}

test("a rule is read with Istio's names, and written as it was read", () => {
  const rule = decodeFault("one", FINE, NOW);
  expect(rule).toEqual({
    name: "one",
    match: {
      everything: false,
      model: "reviews",
      version: "1.0.0",
      key: "ann",
      headers: [
        { name: "x-user", test: "exact", value: "7" },
        { name: "x-group", test: "prefix", value: "beta" },
      ],
    },
    delay: { percent: 10, fixedDelayMs: 5000 },
    abort: { percent: 50, httpStatus: 503, grpcStatus: null },
    expiresAtMs: NOW + 600_000,
  });
  const { name, expires_at: end, ...body } = JSON.parse(encodeFault(rule));
  expect([name, end]).toEqual(["one", new Date(NOW + 600_000).toISOString()]);
  expect(decodeFault("one", { ...body, ttl: "10m" }, NOW)).toEqual(rule);
});

describe("a rule is refused", () => {
  const abort = FINE.abort;
  const everything = { everything: true };
  test.each([
    ["without a match", { abort, ttl: "1m" }, ["match"]],
    ["with an empty match", { match: {}, abort, ttl: "1m" }, ["match"]],
    [
      "with everything and more",
      { match: { everything: true, model: "a" }, abort, ttl: "1m" },
      ["match.everything"],
    ],
    ["without an end", { match: everything, abort }, ["ttl"]],
    ["with an end that never comes", { match: everything, abort, ttl: "25h" }, ["ttl"]],
    ["that does nothing", { match: everything, ttl: "1m" }, ["delay"]],
    [
      "with a share over 100 or finer than 0.01",
      {
        match: everything,
        delay: { percentage: { value: 101 }, fixedDelay: "1s" },
        abort: { percentage: { value: 0.001 }, httpStatus: 503 },
        ttl: "1m",
      },
      ["delay.percentage.value", "abort.percentage.value"],
    ],
    [
      "without a share",
      { match: everything, abort: { httpStatus: 503 }, ttl: "1m" },
      ["abort.percentage"],
    ],
    [
      "with a delay of more than ten minutes",
      { match: everything, delay: { percentage: { value: 1 }, fixedDelay: "11m" }, ttl: "1m" },
      ["delay.fixedDelay"],
    ],
    [
      "with a status that is no error",
      { match: everything, abort: { percentage: { value: 1 }, httpStatus: 200 }, ttl: "1m" },
      ["abort.httpStatus"],
    ],
    [
      "with two statuses",
      { match: everything, abort: { ...abort, grpcStatus: "UNAVAILABLE" }, ttl: "1m" },
      ["abort.httpStatus"],
    ],
    [
      "with a status that gRPC does not have",
      { match: everything, abort: { percentage: { value: 1 }, grpcStatus: "OK" }, ttl: "1m" },
      ["abort.grpcStatus"],
    ],
    [
      "with a regular expression",
      { match: { headers: { "x-a": { regex: ".*" } } }, abort, ttl: "1m" },
      ["match.headers.x-a"],
    ],
    ["with a field that is none", { match: everything, abort, ttl: "1m", http2: 1 }, ["http2"]],
  ])("%s", (_what, body, fields) => {
    expect(problemsOf(body)).toEqual(expect.arrayContaining(fields));
    expect(problemsOf(body).length).toBeLessThanOrEqual(fields.length + 1);
  });

  test("with a name that could not be a header's text", () => {
    for (const name of ["", "A", "a b", "-a", "a\r\n", "x".repeat(64)]) {
      expect(problemsOf(FINE, name), JSON.stringify(name)).toEqual(["name"]);
    }
  });
});

test("whatever comes, it is read or refused with its fields", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      expect(problemsOf(body).length).toBeGreaterThan(0);
      expect(problemsOf({ ...FINE, match: body }).every((field) => field !== "")).toBe(true);
    }),
  );
});

test.each([
  ["500ms", 500],
  ["1.5s", 1500],
  ["1m30s", 90_000],
  ["2h", 7_200_000],
  ["0.1ms", 0],
  ["5", undefined],
  ["-5s", undefined],
  ["5 s", undefined],
  ["", undefined],
])("the duration %s is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test("a duration that was written is read as it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
