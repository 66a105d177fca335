import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { Circuit } from "./circuit.ts";

function createCircuit() {
  const heard: (string | undefined)[] = [];
  const state = { nowMs: 0, unanswered: 0 };
  const circuit = new Circuit({
    timeoutMs: 30,
    nowMs: () => state.nowMs,
    describe: (thrown) => new SluiceError("unavailable", String(thrown)),
    changed: (problem) => heard.push(problem),
    unanswered: () => {
      state.unanswered++;
    },
  });
  let calls = 0;
  const ask = (answer: () => Promise<string>) =>
    circuit.run(() => {
      calls++;
      return answer();
    });
  return { circuit, heard, state, ask, calls: () => calls };
}
const fail = () => Promise.reject(new Error("gone"));
const succeed = async () => "fine";
const hang = () => new Promise<string>(() => {});

test("after three failures in a row nobody is asked, until a trial succeeds", async () => {
  const { circuit, heard, state, ask, calls } = createCircuit();
  for (let i = 0; i < 3; i++) await expect(ask(fail)).rejects.toThrow("gone");
  expect(circuit.isOpen).toBe(true);
  await expect(ask(succeed)).rejects.toThrow("gone");
  expect(calls()).toBe(3);
  state.nowMs = 250;
  expect(await ask(succeed)).toBe("fine");
  expect(circuit.isOpen).toBe(false);
  expect(await ask(succeed)).toBe("fine");
  expect(heard).toEqual(["Error: gone", undefined]);
});

test("a success between failures starts the count anew", async () => {
  const { circuit, ask } = createCircuit();
  for (let i = 0; i < 5; i++) {
    await ask(fail).catch(() => {});
    await ask(fail).catch(() => {});
    await ask(succeed);
  }
  expect(circuit.isOpen).toBe(false);
});

test("a call that takes too long has failed", async () => {
  const { ask } = createCircuit();
  await expect(ask(hang)).rejects.toThrow("no answer in 30 ms");
});

test("one trial at a time; pauses between trials double up to five seconds", async () => {
  const { state, ask, calls } = createCircuit();
  for (let i = 0; i < 3; i++) await ask(fail).catch(() => {});
  const pauses: number[] = [];
  for (let trial = 0; trial < 7; trial++) {
    const before = state.nowMs;
    while (calls() === 3 + trial) {
      state.nowMs += 250;
      const trials = [ask(hang), ask(succeed), ask(succeed)];
      for (const result of await Promise.allSettled(trials)) expect(result.status).toBe("rejected");
    }
    pauses.push(state.nowMs - before);
  }
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  expect(state.unanswered).toBe(7);
});
