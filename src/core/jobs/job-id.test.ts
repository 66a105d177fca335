import fc from "fast-check";
import { expect, test } from "vitest";
import { createJobId, JOB_ID_PATTERN } from "./job-id.ts";

test("the time is written as the specification of ULID writes it", () => {
  // 1469918176385 ms is the example of the specification.
  expect(createJobId(1_469_918_176_385, new Uint8Array(16))).toBe("job_01ARYZ6S410000000000000000");
});

test("ids sort by time, and look alike", () => {
  const time = fc.nat({ max: 2 ** 48 - 1 });
  const random = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(time, time, random, random, (a, b, first, second) => {
      const [one, two] = [createJobId(a, first), createJobId(b, second)];
      expect(one).toMatch(JOB_ID_PATTERN);
      if (a < b) expect(one < two).toBe(true);
    }),
  );
});

test("chance keeps ids of one moment apart", () => {
  const ids = Array.from({ length: 100 }, (_, i) =>
    createJobId(1, new Uint8Array(16).fill(i % 32)),
  );
  expect(new Set(ids).size).toBe(32);
});
