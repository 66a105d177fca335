import { expect, test } from "vitest";
import { measureThroughput } from "./measure-throughput.ts";

const text = { ids: new Int32Array(10), secondStart: 10 };

function createSubject(slots: number, runMs: number) {
  const subject = {
    slots,
    runs: 0,
    inFlight: 0,
    most: 0,
    async run() {
      subject.runs++;
      subject.inFlight++;
      subject.most = Math.max(subject.most, subject.inFlight);
      await new Promise((resolve) => setTimeout(resolve, runMs));
      subject.inFlight--;
    },
  };
  return subject;
}

test("all slots are kept busy, and ids per millisecond come out", async () => {
  const subject = createSubject(3, 10);
  const options = { batch: [text, text], limitMs: 100, isInterrupted: () => false };
  const rate = await measureThroughput(subject, options);
  expect(subject.most).toBe(3);
  // Three slots with 20 ids each 10 ms would be 6 a millisecond; timers are late, hardly ever early.
  expect(rate).toBeGreaterThan(1);
  expect(rate).toBeLessThanOrEqual(7);
});

test("a slow subject is still measured, by one run per slot", async () => {
  const subject = createSubject(2, 50);
  const options = { batch: [text], limitMs: 1, isInterrupted: () => false };
  expect(await measureThroughput(subject, options)).toBeGreaterThan(0);
  expect(subject.runs).toBe(4);
});

test("it stops when there is something better to do, and then knows nothing", async () => {
  const subject = createSubject(1, 5);
  const isInterrupted = () => subject.runs > 3;
  const options = { batch: [text], limitMs: 60_000, isInterrupted };
  expect(await measureThroughput(subject, options)).toBeUndefined();
  expect(subject.runs).toBe(4);
});

test("what a run throws comes through", async () => {
  const subject = { slots: 1, run: () => Promise.reject(new Error("refused")) };
  const options = { batch: [text], limitMs: 10, isInterrupted: () => false };
  await expect(measureThroughput(subject, options)).rejects.toThrow("refused");
});
