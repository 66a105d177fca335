import { expect, test } from "vitest";
import { createScriptedPipeline } from "../../../test/support/scripted-pipeline.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { Job } from "./job.ts";
import type { JobRow } from "./job-row.ts";
import { encodeRow } from "./job-row.ts";
import type { ChunkInput, ChunkOutcome } from "./process-chunk.ts";
import { processChunk } from "./process-chunk.ts";
import type { RowResult } from "./row-result.ts";
import { decodeRowResults, encodeRowResults } from "./row-result.ts";

const JOB: Job = {
  id: "job_1",
  state: "running",
  owner: "owner",
  request: {
    model: "m",
    version: undefined,
    options: { ...MODEL_DEFAULTS, topK: 0, functionToApply: "none" },
    webhookUrl: undefined,
  },
  idempotencyKey: undefined,
  inputDigest: "d",
  totalRows: 1,
  doneRows: 0,
  failedRows: 0,
  chunks: 1,
  round: 0,
  createdAtMs: 0,
  startedAtMs: 0,
  finishedAtMs: undefined,
  expiresAtMs: 1e9,
  failure: undefined,
};

const textRow = (text: string, id?: string): JobRow => ({ text, pair: undefined, id });
const numberRows = (count: number) => Array.from({ length: count }, (_, i) => textRow(`${i + 1}`));

function chunkOf(rows: readonly JobRow[], changes: Partial<ChunkInput> = {}): ChunkInput {
  return {
    job: JOB,
    input: rows.map(encodeRow).join("\n"),
    earlier: undefined,
    timeoutMs: 60_000,
    cancellation: NEVER_CANCELLED,
    isLastAttempt: false,
    defaultModel: "m",
    ...changes,
  };
}

type Scripted = ReturnType<typeof createScriptedPipeline>;

async function run(chunk: ChunkInput, { pipeline, clock }: Scripted): Promise<ChunkOutcome> {
  let outcome: ChunkOutcome | undefined;
  const running = processChunk(chunk, pipeline).then((ended) => {
    outcome = ended;
  });
  for (let i = 0; i < 10_000 && outcome === undefined; i++) await clock.advance(5);
  await running;
  if (outcome === undefined) throw new Error("The chunk never ended.");
  return outcome;
}

function resultsOf(outcome: ChunkOutcome): readonly RowResult[] {
  if (outcome.kind !== "answered") throw new Error(`The chunk ended as ${outcome.kind}.`);
  return decodeRowResults(outcome.results);
}

const numbersOf = (results: readonly RowResult[]) =>
  results.map((result) =>
    result.kind === "labels" ? result.labels.find(({ label }) => label === "number")?.score : null,
  );

test.each([
  ["while nobody waits", false],
  ["while somebody waits", true],
])("every row has its own answer, in order, %s", async (_, isBusy) => {
  const scripted = createScriptedPipeline();
  const { pipeline } = scripted;
  if (isBusy) Object.assign(pipeline, { activity: { isRecent: () => true, note: () => {} } });
  const outcome = await run(chunkOf(numberRows(101)), scripted);
  expect(numbersOf(resultsOf(outcome))).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
  expect(outcome).toMatchObject({ kind: "answered", failedRows: 0 });
});

test("a row that cannot be answered has an error among the answers of the others", async () => {
  const rows: JobRow[] = [
    textRow("7", "seven"),
    { problem: "is not JSON", id: "broken" },
    textRow(" ", "empty"),
    textRow("poison", "poison"),
    textRow("8"),
  ];
  const outcome = await run(chunkOf(rows), createScriptedPipeline());
  expect(outcome).toMatchObject({ kind: "answered", failedRows: 3 });
  expect(resultsOf(outcome)).toMatchObject([
    { kind: "labels", id: "seven" },
    { kind: "error", id: "broken", code: "invalid_argument", message: "is not JSON" },
    { kind: "error", id: "empty", code: "invalid_argument" },
    { kind: "error", id: "poison", code: "model_failed" },
    { kind: "labels" },
  ]);
});

test("in a later round, rows that have an answer keep it and are not asked again", async () => {
  const answered: RowResult = {
    kind: "labels",
    version: "0.9.0",
    labels: [{ label: "number", score: -1 }],
    truncated: false,
    id: "kept",
  };
  const failed: RowResult = { kind: "error", code: "unavailable", message: "away", id: undefined };
  const earlier = encodeRowResults([answered, failed]);
  const scripted = createScriptedPipeline();
  const outcome = await run(chunkOf([textRow("1", "kept"), textRow("2")], { earlier }), scripted);
  expect(numbersOf(resultsOf(outcome))).toEqual([-1, 2]);
  expect(scripted.backend.runs.flat()).toHaveLength(1);
});

test("a reason that passes is tried again; at the last attempt it is the rows' result", async () => {
  const late = { timeoutMs: 3 };
  const first = await run(chunkOf(numberRows(2), late), createScriptedPipeline());
  expect(first).toMatchObject({ kind: "retry", error: { code: "deadline_exceeded" } });
  const last = await run(
    chunkOf(numberRows(2), { ...late, isLastAttempt: true }),
    createScriptedPipeline(),
  );
  expect(last).toMatchObject({ kind: "answered", failedRows: 2 });
});

test("a model that does not exist is waited for, until the last attempt", async () => {
  const job = { ...JOB, request: { ...JOB.request, model: "missing" } };
  const first = await run(chunkOf(numberRows(2), { job }), createScriptedPipeline());
  expect(first).toMatchObject({ kind: "retry", error: { code: "not_found" } });
  const last = await run(
    chunkOf(numberRows(2), { job, isLastAttempt: true }),
    createScriptedPipeline(),
  );
  expect(last).toMatchObject({ kind: "hopeless", error: { code: "not_found" } });
});
