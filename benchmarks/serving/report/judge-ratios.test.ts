import { describe, expect, test } from "vitest";
import type { PhaseFigures } from "../load/measure-phase.ts";
import type { LoadFigures } from "../parts/measure-load.ts";
import type { PeerFigures } from "../peers/measure-peers.ts";
import type { Measured } from "./benchmark-result.ts";
import { judgeRatios } from "./judge-ratios.ts";

const NOTHING: Measured = {
  benchmark: "serving",
  date: "2026-01-01",
  quick: false,
  machine: { cpu: "", cores: 2, memoryGib: 1, platform: "", node: "", loadBefore: 0 },
  textSource: "synthetic",
  corpora: [],
};

function createPhase(textsPerSecond: number, p99Ms = 1): PhaseFigures {
  const latency = { count: 1, meanMs: 1, p50Ms: 1, p90Ms: 1, p95Ms: 1, p99Ms, p999Ms: 1, maxMs: 1 };
  return {
    report: {
      durationMs: 1000,
      requestsPerSecond: textsPerSecond,
      acceptedPerSecond: textsPerSecond,
      goodPerSecond: textsPerSecond,
      sentPerSecond: textsPerSecond,
      sent: textsPerSecond,
      missed: 0,
      wrongAnswers: 0,
      statuses: { 200: textsPerSecond },
      accepted: latency,
      rejected: latency,
      acceptedFromWrite: latency,
      rejectedFromWrite: latency,
      errors: { connect: 0, reset: 0, timeout: 0, malformed: 0 },
      aborted: false,
      stages: {},
      generatorCpuSeconds: 0,
    },
    serverCores: 1,
    mainThreadCores: 0.1,
    generatorCores: 0.1,
    residentMib: 100,
    peakResidentMib: 100,
    batches: undefined,
  };
}

function createOverload(statuses: Readonly<Record<string, number>>): PhaseFigures {
  const phase = createPhase(1, 80);
  return { ...phase, report: { ...phase.report, statuses } };
}

function createLoad(
  precision: "int8" | "fp32",
  raw: number,
  served: number,
  heavyStatuses: Readonly<Record<string, number>> = { 200: 1, 429: 2 },
): LoadFigures {
  const limit = (textsPerSecond: number) => [
    { corpus: "short", textsPerSecond, repeats: [textsPerSecond] },
  ];
  return {
    precision,
    backend: "",
    raw: { before: limit(raw * 0.9), after: limit(raw) },
    closed: [
      {
        corpus: "short",
        connections: 64,
        textsPerSecond: served,
        correctedPerSecond: served,
        repeats: [served],
        phase: createPhase(served),
      },
    ],
    open: [
      {
        corpus: "short",
        sloMs: 100,
        capacityPerSecond: served,
        loads: [
          { share: 0.8, duePerSecond: 1, phase: createPhase(1, 40) },
          { share: 3, duePerSecond: 1, phase: createOverload(heavyStatuses) },
        ],
      },
    ],
  };
}

function verdictOf(measured: Measured, ...parts: readonly string[]) {
  const found = judgeRatios(measured).filter(({ name }) =>
    parts.every((part) => name.includes(part)),
  );
  expect(found).toHaveLength(1);
  return found[0];
}

describe("judgeRatios", () => {
  test("what was not measured is neither met nor missed", () => {
    const ratios = judgeRatios(NOTHING);
    expect(ratios.length).toBeGreaterThan(15);
    expect(ratios.every(({ verdict }) => verdict === "not measured")).toBe(true);
  });

  test("the share of the raw limit is taken of the better of before and after", () => {
    const line = ["raw limit", "short", "64"];
    const close = { ...NOTHING, load: [createLoad("int8", 1000, 860)] };
    expect(verdictOf(close, ...line)).toMatchObject({ verdict: "met" });
    const far = { ...NOTHING, load: [createLoad("int8", 1000, 840)] };
    expect(verdictOf(far, ...line)).toMatchObject({ verdict: "MISSED" });
  });

  test("INT8 is held against FP32 of the same corpus", () => {
    const load = [createLoad("int8", 1000, 1), createLoad("fp32", 450, 1)];
    const found = verdictOf({ ...NOTHING, load }, "INT8 / FP32, best batches", "short");
    expect(found).toMatchObject({ measured: "2.22 ×", verdict: "MISSED" });
  });

  test("a tail that doubles under overload is too much", () => {
    const load = [createLoad("int8", 1000, 900)];
    expect(verdictOf({ ...NOTHING, load }, "p99", "short")).toMatchObject({
      measured: "2.00 × (80.0 / 40.0 ms, 67 % refused)",
      verdict: "MISSED",
    });
  });

  test("a load of which little is refused is no overload and proves nothing", () => {
    const load = [createLoad("int8", 1000, 900, { 200: 9, 429: 1 })];
    expect(verdictOf({ ...NOTHING, load }, "p99", "short")).toMatchObject({
      measured: "no overload: 10 % refused",
      verdict: "not measured",
    });
  });

  test("a peer that does better without batching counts as it is best, and apart from that as its guide has it", () => {
    const phases = (rate: number) => [{ corpus: "mixed", phase: createPhase(rate) }];
    const setting = { workers: 2, threads: 1 };
    const peers: PeerFigures = {
      own: [
        { precision: "fp32", phases: phases(200) },
        { precision: "int8", phases: phases(600) },
      ],
      runs: [
        { peer: "a", setting: { ...setting, maxBatch: 32 }, phases: phases(50) },
        { peer: "a", setting: { ...setting, maxBatch: 1 }, phases: phases(100) },
      ],
      versions: [],
      skipped: [],
    };
    const measured = { ...NOTHING, peers };
    expect(verdictOf(measured, "FP32 / best peer", "guide")).toMatchObject({ verdict: "met" });
    expect(verdictOf(measured, "FP32 / best peer", "best setting")).toMatchObject({
      measured: "2.00 × (a: 2 × 1 thread, no batching)",
      verdict: "MISSED",
    });
  });

  test("one text that a batch changes is one too many", () => {
    const same = { texts: 10, changed: 0, largestDifference: 0 };
    const model = {
      policies: [],
      cost: { fixedMs: 1, perTokenMs: 1 },
      independence: { int8: { ...same, changed: 1 }, fp32: same },
    };
    expect(verdictOf({ ...NOTHING, model }, "bit", "INT8")).toMatchObject({ verdict: "MISSED" });
    expect(verdictOf({ ...NOTHING, model }, "bit", "FP32")).toMatchObject({ verdict: "met" });
  });
});
