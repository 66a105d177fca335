import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { runWithin } from "./run-within.ts";

const never = () => new Promise<never>(() => {});

test("what ends in time is the answer, also when it fails at once", async () => {
  const clock = new FakeClock();
  await expect(runWithin(clock, 10, async () => 7)).resolves.toBe(7);
  const failing = runWithin(clock, 10, () => {
    throw new RangeError("at once");
  });
  await expect(failing).rejects.toThrow("at once");
});

test("work that ignores its signal is given up all the same", async () => {
  const clock = new FakeClock();
  let signal: AbortSignal | undefined;
  const running = runWithin(clock, 10, (given) => {
    signal = given;
    return never();
  });
  const refused = expect(running).rejects.toMatchObject({ code: "deadline_exceeded" });
  await clock.advance(9);
  expect(signal?.aborted).toBe(false);
  await clock.advance(1);
  expect(signal?.aborted).toBe(true);
  await refused;
});

test("no time left means that the work never starts", async () => {
  let starts = 0;
  const running = runWithin(new FakeClock(), 0, async () => {
    starts++;
  });
  await expect(running).rejects.toMatchObject({ code: "deadline_exceeded" });
  expect(starts).toBe(0);
});

test("work is stopped from outside, before or while it runs", async () => {
  const stop = new AbortController();
  const running = runWithin(new FakeClock(), 10, never, stop.signal);
  stop.abort();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  const late = runWithin(new FakeClock(), 10, never, stop.signal);
  await expect(late).rejects.toMatchObject({ code: "cancelled" });
});
