import { expect, test } from "vitest";
import { isFinished, JOB_STEPS, listStatesBefore } from "./job-state.ts";

test("a job ends in one of three ways, and only a completed one may begin again", () => {
  const states = Object.keys(JOB_STEPS) as (keyof typeof JOB_STEPS)[];
  expect(states.filter(isFinished)).toEqual(["completed", "failed", "cancelled"]);
  expect(states.filter((state) => isFinished(state) && JOB_STEPS[state].length > 0)).toEqual([
    "completed",
  ]);
});

test("from every state that has not ended, every end can be reached but completion without work", () => {
  expect(listStatesBefore("completed")).toEqual(["running"]);
  expect(listStatesBefore("cancelled")).toEqual(["queued", "running"]);
  expect(listStatesBefore("failed")).toEqual(["queued", "running"]);
  expect(listStatesBefore("queued")).toEqual(["receiving", "completed"]);
  expect(listStatesBefore("receiving")).toEqual([]);
});
