import { beforeEach, describe, expect, test } from "vitest";
import { ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import {
  createMapCache,
  createScriptedPipeline,
  numberOf,
} from "../../../test/support/scripted-pipeline.ts";
import { SluiceError } from "../errors.ts";
import { answerTexts } from "../graphs/answer-texts.ts";
import type { InferenceRequest } from "../inference/request.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { InferenceResult } from "../inference/result.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import type { ObservedSplit } from "./release-traffic.ts";

/** Answers as the first version does, or as a test tells it to. */
class CandidateBackend extends ScriptedBackend {
  swaps = false;
  failure: SluiceError | undefined;
  /** A first id that it alone cannot answer. */
  refused: number | undefined;

  override async run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]> {
    const rows = await super.run(batch);
    if (this.failure !== undefined) throw this.failure;
    if (rows.some(([owner]) => owner === this.refused)) {
      throw new SluiceError("model_failed", "It cannot be answered.");
    }
    return this.swaps ? rows.map((row) => row.toReversed()) : rows;
  }
}

const SPLIT: ObservedSplit = {
  releaseId: "r1",
  stable: "1.0.0",
  candidate: "2.0.0",
  stableWeight: 0,
  candidateWeight: 100,
  matches: [],
  mirrorShare: 0,
  stickyBy: { kind: "request" },
  isOver: false,
  comparisons: [],
  windowStartedAtMs: 0,
};
const crash = new SluiceError("unavailable", "The worker died.");

let scripted: ReturnType<typeof createScriptedPipeline>;
let candidate: CandidateBackend;
let store: ReturnType<typeof createMapCache>;
let requests = 0;
beforeEach(() => {
  store = createMapCache();
  scripted = createScriptedPipeline(store);
  const { clock, pace, addVersion } = scripted;
  candidate = new CandidateBackend({ clock, runMs: () => pace.runMs });
  addVersion("2.0.0", candidate);
  requests = 0;
});

const release = (changes: Partial<ObservedSplit> = {}) =>
  scripted.pipeline.releases.replace(new Map([["m", { ...SPLIT, ...changes }]]));

/** A request of nobody in particular, such as a job. */
const ANONYMOUS: InferenceRequest = {
  model: "m",
  version: undefined,
  inputs: [{ text: "7", pair: undefined }],
  options: { ...MODEL_DEFAULTS, topK: 0, functionToApply: "none" },
  flow: { id: "caller", weight: 1 },
  lane: "online",
  deadlineMs: 10_000,
  cancellation: NEVER_CANCELLED,
};

async function ask(
  texts: readonly string[],
  changes: Partial<InferenceRequest> = {},
  onItem?: (index: number) => void,
): Promise<InferenceResult> {
  const requestId = `request ${requests++}`;
  const request: InferenceRequest = {
    ...ANONYMOUS,
    inputs: texts.map((text) => ({ text, pair: undefined })),
    deadlineMs: scripted.clock.nowMs() + 10_000,
    identity: () => ({
      requestId,
      ...{ caller: "address:1", keyId: null, headers: new Map(), cookies: new Map() },
    }),
    ...changes,
  };
  const answer = answerTexts(request, scripted.pipeline, onItem);
  answer.catch(() => {});
  await scripted.clock.advance(200);
  return await answer;
}

const observed = (role: "stable" | "candidate") =>
  scripted.pipeline.releases.find("m")?.recorders[role].read();

describe("the version", () => {
  test("is the one that the split gives the caller", async () => {
    release({ candidateWeight: 30, stableWeight: 70 });
    const versions: string[] = [];
    for (let i = 0; i < 100; i++) versions.push((await ask([`${i}`])).version);
    const candidates = versions.filter((version) => version === "2.0.0").length;
    expect(candidates).toBeGreaterThan(15);
    expect(candidates).toBeLessThan(45);
    expect(observed("candidate")?.answered).toBe(candidates);
    expect(observed("stable")?.answered).toBe(100 - candidates);
  });

  test("is the one that the caller names, whatever the split says, and that is not observed", async () => {
    release();
    expect((await ask(["7"], { version: "1.0.0" })).version).toBe("1.0.0");
    expect(observed("stable")?.answered).toBe(0);
  });

  test("is the stable one for who is nobody in particular, until the candidate has everything", async () => {
    release({ candidateWeight: 99, stableWeight: 1 });
    const answer = answerTexts(ANONYMOUS, scripted.pipeline);
    await scripted.clock.advance(100);
    expect((await answer).version).toBe("1.0.0");
    release();
    const after = answerTexts(ANONYMOUS, scripted.pipeline);
    await scripted.clock.advance(100);
    expect((await after).version).toBe("2.0.0");
  });
});

describe("a candidate that fails", () => {
  test("costs no answer: stable is asked, and both are counted as they were", async () => {
    release();
    candidate.failure = crash;
    const told: number[] = [];
    const result = await ask(["1", "2"], {}, (index) => told.push(index));
    expect(result.version).toBe("1.0.0");
    expect(result.items.map(numberOf)).toEqual([1, 2]);
    expect(told.toSorted()).toEqual([0, 1]);
    expect(observed("candidate")).toMatchObject({ answered: 0, failures: [{ count: 2 }] });
    expect(observed("stable")).toMatchObject({ answered: 2, failures: [] });
  });

  test("with some texts alone has those answered by stable, each once, in its place", async () => {
    release();
    const told: number[] = [];
    // The first version is poisoned by it too.
    const result = await ask(["5", "poison", "7"], {}, (index) => told.push(index));
    expect(result.items.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(result.items[0]).toMatchObject({ version: "2.0.0" });
    candidate.refused = 6;
    const next = await ask(["5", "6", "7"]);
    expect(next.items.map(numberOf)).toEqual([5, 6, 7]);
    expect(next.items.map((item) => item.ok && item.version)).toEqual(["2.0.0", "1.0.0", "2.0.0"]);
    expect(told.toSorted()).toEqual([0, 1, 2]);
    expect(observed("candidate")).toMatchObject({ answered: 2 });
    expect(observed("stable")).toMatchObject({ answered: 1 });
    expect(observed("stable")?.failures).toMatchObject([{ code: "model_failed", count: 1 }]);
  });

  test("because of the caller is told to the caller", async () => {
    release();
    await expect(ask([" "])).rejects.toMatchObject({ code: "invalid_argument" });
    expect(scripted.backend.runs).toHaveLength(0);
  });
});

describe("copies", () => {
  test("are asked of the candidate unseen, compared, and counted nowhere else", async () => {
    release({ candidateWeight: 0, stableWeight: 100, mirrorShare: 100 });
    const first = await ask(["7", "8"]);
    expect(first.version).toBe("1.0.0");
    expect(observed("candidate")).toMatchObject({
      answered: 2,
      agreement: { agreed: 2, disagreed: 0 },
    });
    candidate.swaps = true;
    await ask(["9"]);
    expect(observed("candidate")?.agreement).toMatchObject({
      ...{ agreed: 2, disagreed: 1 },
      pairs: [{ stable: "number", candidate: "length", count: 1 }],
    });
    expect(scripted.observer.predictions).toHaveLength(3);
    expect([...store.entries.keys()].filter((key) => key.includes("2.0.0"))).toEqual([]);
  });

  test("that fail are the candidate's failures, and nobody's error", async () => {
    release({ candidateWeight: 0, stableWeight: 100, mirrorShare: 100 });
    candidate.failure = crash;
    expect((await ask(["7"])).items[0]?.ok).toBe(true);
    expect(observed("candidate")).toMatchObject({ answered: 0, failures: [{ count: 1 }] });
    expect(scripted.observer.failures).toEqual([]);
  });

  test("are left out when too many are under way", async () => {
    release({ candidateWeight: 0, stableWeight: 100, mirrorShare: 100 });
    const leave = Array.from({ length: 64 }, () => scripted.pipeline.releases.enterMirror());
    await ask(["7"]);
    expect(candidate.runs).toHaveLength(0);
    for (const one of leave) one?.();
    await ask(["8"]);
    expect(candidate.runs).toHaveLength(1);
  });
});

test("what comes from the cache says nothing about a version", async () => {
  release({ candidateWeight: 0, stableWeight: 100 });
  await ask(["7"]);
  await ask(["7"]);
  expect(observed("stable")?.answered).toBe(1);
});

test("counts go on while the window is the same, and begin anew with another", async () => {
  release();
  await ask(["7"]);
  release({ candidateWeight: 50, stableWeight: 50 });
  expect(observed("candidate")?.answered).toBe(1);
  release({ windowStartedAtMs: 5 });
  expect(observed("candidate")?.answered).toBe(0);
});
