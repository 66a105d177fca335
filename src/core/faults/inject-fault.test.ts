import { describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { GRPC_STATUSES } from "./abort-status.ts";
import type { ChosenFault } from "./choose-fault.ts";
import { injectFault, toAbortError } from "./inject-fault.ts";

const ABORT = { percent: 100, httpStatus: 503, grpcStatus: null };

function inject(clock: FakeClock, changes: Partial<ChosenFault>, deadlineMs = 60_000) {
  const kinds: string[] = [];
  const ends: (() => void)[] = [];
  const cancellation = {
    ...NEVER_CANCELLED,
    onCancel: (listener: () => void) => {
      ends.push(listener);
      return () => void ends.splice(ends.indexOf(listener), 1);
    },
  };
  const chosen: ChosenFault = { rule: "one", delayMs: 0, abort: null, ...changes };
  let outcome = "waiting";
  injectFault(chosen, { deadlineMs, cancellation }, clock, (kind) => kinds.push(kind)).then(
    () => {
      outcome = "done";
    },
    (error) => {
      outcome = error.code;
    },
  );
  const cancel = () => {
    for (const end of [...ends]) end();
  };
  return { kinds, ends, cancel, outcome: () => outcome };
}

describe("a fault", () => {
  test("delays first and aborts then", async () => {
    const clock = new FakeClock();
    const { kinds, ends, outcome } = inject(clock, { delayMs: 100, abort: ABORT });
    await clock.advance(99);
    expect([outcome(), kinds]).toEqual(["waiting", ["delay"]]);
    await clock.advance(1);
    expect([outcome(), kinds]).toEqual(["unavailable", ["delay", "abort"]]);
    expect(ends).toEqual([]);
  });

  test("that only delays lets the request go on", async () => {
    const clock = new FakeClock();
    const { outcome } = inject(clock, { delayMs: 100 });
    await clock.advance(100);
    expect(outcome()).toBe("done");
  });

  test("never waits past the deadline, and is answered as late work is", async () => {
    const clock = new FakeClock();
    const { outcome } = inject(clock, { delayMs: 5000, abort: ABORT }, 100);
    await clock.advance(99);
    expect(outcome()).toBe("waiting");
    await clock.advance(1);
    expect(outcome()).toBe("deadline_exceeded");
  });

  test("ends at once when the caller goes away, and forgets its timer", async () => {
    const clock = new FakeClock();
    const { cancel, ends, outcome } = inject(clock, { delayMs: 5000 });
    await clock.advance(10);
    cancel();
    await clock.settle();
    expect([outcome(), ends]).toEqual(["cancelled", []]);
  });
});

test.each([
  [400, "invalid_argument"],
  [401, "unauthenticated"],
  [418, "invalid_argument"],
  [429, "overloaded"],
  [500, "model_failed"],
  [503, "unavailable"],
  [504, "deadline_exceeded"],
  [599, "model_failed"],
])("status %d keeps itself and reads as %s", (httpStatus, code) => {
  const error = toAbortError("one", { ...ABORT, httpStatus });
  expect(error.code).toBe(code);
  expect(error.injected).toEqual({ rule: "one", httpStatus, grpcStatus: null });
});

test.each([...GRPC_STATUSES])("status %s keeps its number", (grpcStatus, { number, code }) => {
  const error = toAbortError("one", { percent: 100, httpStatus: null, grpcStatus });
  expect(error).toMatchObject({ code, injected: { httpStatus: null, grpcStatus: number } });
});

test("no abort calls itself a bug of ours", () => {
  const codes = [...GRPC_STATUSES.values()].map(({ code }) => code);
  expect(codes).not.toContain("internal");
});
