import { expect, test } from "vitest";
import type { CloudEvent } from "./cloud-event.ts";
import { createPredictionLog } from "./prediction-log.ts";

const ANSWER = {
  ...{ request_id: "r1", model: "m", version: "1.0.0" },
  ...{ label: "positive", confidence: 0.9, duration_ms: 2.5 },
};

function start(sampleRate: number) {
  const events: CloudEvent[] = [];
  let turn = 0;
  const log = createPredictionLog({
    buffer: { offer: (event) => events.push(event) > 0 },
    ...{ source: "/sluice/a", epochMs: () => 0, sampleRate },
    random: () => (turn++ % 10) / 10,
    createId: () => `id-${turn}`,
  });
  for (let i = 0; i < 100; i++) log(ANSWER);
  return events;
}

test.each([
  [0, 0],
  [0.3, 30],
  [1, 100],
])("with a rate of %f, %i of 100 answers are told", (rate, told) => {
  expect(start(rate)).toHaveLength(told);
});

test("an answer is told with what is known of it, each under an id of its own", () => {
  const events = start(1);
  const kind = "dev.sluice.prediction.logged";
  expect(events[0]).toMatchObject({ type: kind, subject: "requests/r1", data: ANSWER });
  expect(new Set(events.map(({ id }) => id)).size).toBe(100);
});

test("it says which answers were dropped; those that chance passes over were not", () => {
  const log = (sampleRate: number) =>
    createPredictionLog({
      buffer: { offer: () => false },
      ...{ source: "/sluice/a", epochMs: () => 0, sampleRate },
      ...{ random: () => 0.5, createId: () => "id" },
    });
  expect(log(1)(ANSWER)).toBe(false);
  expect(log(0.1)(ANSWER)).toBe(true);
});
