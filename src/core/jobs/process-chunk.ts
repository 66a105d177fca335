import type { SluiceError } from "../errors.ts";
import { toSluiceError } from "../errors.ts";
import type { InferenceRequest, TextInput } from "../inference/request.ts";
import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { streamInference } from "../inference/stream-inference.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Job } from "./job.ts";
import type { JobRow } from "./job-row.ts";
import { decodeRow } from "./job-row.ts";
import type { RowResult } from "./row-result.ts";
import { decodeRowResult, encodeRowResults, isPassing, toRowResult } from "./row-result.ts";

export interface ChunkInput {
  readonly job: Job;
  readonly input: string;
  /** Results of an earlier round: rows that have an answer there keep it. */
  readonly earlier: string | undefined;
  /** Milliseconds that the chunk may take, waiting for room included. */
  readonly timeoutMs: number;
  readonly cancellation: Cancellation;
  /** Rows that could not be answered for now get that as their error, instead of the chunk being tried again. */
  readonly isLastAttempt: boolean;
  /** The model when the job names none. */
  readonly defaultModel: string;
}

/** What came of a chunk. */
export type ChunkOutcome =
  | { readonly kind: "answered"; readonly results: string; readonly failedRows: number }
  /** Something that passes kept rows from being answered; nothing of this attempt is kept. */
  | { readonly kind: "retry"; readonly error: SluiceError }
  /** No row of this job can be answered, now or later. */
  | { readonly kind: "hopeless"; readonly error: SluiceError };

/** Rows that are answered at once. */
const SLICE_ROWS = 32;

/** The same while somebody waits for answers: few enough that a slice on this thread holds nobody up for long. */
const SMALL_SLICE_ROWS = 4;

/** Shortest pause between slices while somebody waits. With less, the garbage of a job alone makes online answers late. */
const PAUSE_MS = 4;

/**
 * Answers the rows of a chunk through the bulk lane, which gives way to everybody who waits for an answer. All that is done on
 * this thread, reading and writing rows too, is done by the slice.
 * Decides nothing about the job; see `JobWorker`.
 */
export async function processChunk(
  chunk: ChunkInput,
  pipeline: InferencePipeline,
): Promise<ChunkOutcome> {
  const rows = chunk.input.split("\n");
  const earlier = chunk.earlier?.split("\n");
  const deadlineMs = pipeline.clock.nowMs() + chunk.timeoutMs;
  const results: string[] = [];
  let failedRows = 0;
  for (let start = 0; start < rows.length; ) {
    const startedMs = pipeline.clock.nowMs();
    const end = start + (pipeline.activity.isRecent(startedMs) ? SMALL_SLICE_ROWS : SLICE_ROWS);
    const slice = { rows: rows.slice(start, end), earlier: earlier?.slice(start, end) };
    const answered = await answerSlice(slice, { ...chunk, deadlineMs }, pipeline);
    if ("kind" in answered) return answered;
    results.push(encodeRowResults(answered));
    failedRows += answered.filter(({ kind }) => kind === "error").length;
    start = end;
    await giveWay(pipeline, pipeline.clock.nowMs() - startedMs);
  }
  return { kind: "answered", results: results.join("\n"), failedRows };
}

/** Rows as they are stored, one a line, and what an earlier round said to each. */
interface Slice {
  readonly rows: readonly string[];
  readonly earlier: readonly string[] | undefined;
}

async function answerSlice(
  slice: Slice,
  chunk: ChunkInput & { readonly deadlineMs: number },
  pipeline: InferencePipeline,
): Promise<readonly RowResult[] | Exclude<ChunkOutcome, { kind: "answered" }>> {
  const rows = slice.rows.map(decodeRow);
  const results = takeKnown(slice);
  const open = rows.flatMap((row, index) =>
    results[index] === undefined && "text" in row ? [{ row, index }] : [],
  );
  const answered = await askTexts(
    open.map(({ row }) => ({ text: row.text, pair: row.pair })),
    chunk,
    pipeline,
  );
  if ("error" in answered) {
    const { error } = answered;
    // A model may be loaded later, here or on another engine; only patience tells.
    const mayPass = isPassing(error.code) || error.code === "not_found";
    return { kind: mayPass && !chunk.isLastAttempt ? "retry" : "hopeless", error };
  }
  for (const [at, item] of answered.items.entries()) {
    if (!item.ok && isPassing(item.error.code) && !chunk.isLastAttempt) {
      return { kind: "retry", error: item.error };
    }
    const { row, index } = open[at] ?? {};
    if (row !== undefined && index !== undefined) results[index] = toRowResult(item, row.id);
  }
  return rows.map((row, index) => results[index] ?? toProblem(row));
}

/** By row: the answer of an earlier round, or undefined where there is none or only an error. */
function takeKnown({ rows, earlier }: Slice): (RowResult | undefined)[] {
  return rows.map((_, index) => {
    const line = earlier?.[index];
    const known = line === undefined ? undefined : decodeRowResult(line);
    return known?.kind === "error" ? undefined : known;
  });
}

type SliceAnswer = { readonly items: readonly ItemResult[] } | { readonly error: SluiceError };

/** @returns an error only when the texts as a whole could not be asked */
async function askTexts(
  inputs: readonly TextInput[],
  chunk: ChunkInput & { readonly deadlineMs: number },
  pipeline: InferencePipeline,
): Promise<SliceAnswer> {
  const items: ItemResult[] = new Array(inputs.length);
  if (inputs.length === 0) return { items };
  const { job, deadlineMs, cancellation, defaultModel } = chunk;
  const { model = defaultModel, version, options } = job.request;
  const request: InferenceRequest = {
    ...{ model, version, options, inputs, cancellation, deadlineMs },
    flow: { id: job.owner, weight: 1 },
    lane: "bulk",
  };
  try {
    for await (const { index, item } of streamInference(request, pipeline, SLICE_ROWS)) {
      items[index] = item;
    }
    return { items };
  } catch (thrown) {
    return { error: toSluiceError(thrown) };
  }
}

/**
 * Lets others have the thread; while somebody waits for answers, for twice as long as the last slice took, so that a chunk takes
 * at most a third of it.
 */
function giveWay({ clock, activity }: InferencePipeline, tookMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (activity.isRecent(clock.nowMs())) clock.setTimer(Math.max(PAUSE_MS, 2 * tookMs), resolve);
    else clock.defer(resolve);
  });
}

function toProblem(row: JobRow): RowResult {
  const message = "problem" in row ? row.problem : "The row has no answer.";
  return { kind: "error", code: "invalid_argument", message, id: row.id };
}
