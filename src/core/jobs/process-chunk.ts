import type { SluiceError } from "../errors.ts";
import { toSluiceError } from "../errors.ts";
import type { InferenceRequest, TextInput } from "../inference/request.ts";
import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { streamInference } from "../inference/stream-inference.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Job } from "./job.ts";
import type { JobRow } from "./job-row.ts";
import { decodeRows } from "./job-row.ts";
import type { RowResult } from "./row-result.ts";
import { decodeRowResults, encodeRowResults, isPassing, toRowResult } from "./row-result.ts";

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
  /** Something that passes kept rows from being answered; nothing of this attempt is kept but what the cache has. */
  | { readonly kind: "retry"; readonly error: SluiceError }
  /** No row of this job can be answered, now or later. */
  | { readonly kind: "hopeless"; readonly error: SluiceError };

/** Texts that are asked at once: few enough that a slice on this thread holds nobody up for more than a millisecond. */
const SLICE_TEXTS = 32;

/**
 * Answers the rows of a chunk through the bulk lane, which gives way to everybody who waits for an answer.
 * Decides nothing about the job; see `JobWorker`.
 */
export async function processChunk(
  chunk: ChunkInput,
  pipeline: InferencePipeline,
): Promise<ChunkOutcome> {
  const rows = decodeRows(chunk.input);
  const results = takeKnown(rows, chunk.earlier);
  const open = rows.flatMap((row, index) =>
    results[index] === undefined && "text" in row ? [{ row, index }] : [],
  );
  const items = await ask(
    open.map(({ row }) => ({ text: row.text, pair: row.pair })),
    chunk,
    pipeline,
  );
  if ("kind" in items) return items;

  for (const [at, { row, index }] of open.entries()) {
    const item = items[at];
    if (item !== undefined) results[index] = toRowResult(item, row.id);
  }
  const all = rows.map((row, index) => results[index] ?? toProblem(row));
  const passing = items.find((item) => !item.ok && isPassing(item.error.code));
  if (passing?.ok === false && !chunk.isLastAttempt) return { kind: "retry", error: passing.error };
  const failedRows = all.filter(({ kind }) => kind === "error").length;
  return { kind: "answered", results: encodeRowResults(all), failedRows };
}

/** By row: the answer of an earlier round, or undefined where there is none or only an error. */
function takeKnown(
  rows: readonly JobRow[],
  earlier: string | undefined,
): (RowResult | undefined)[] {
  const known = earlier === undefined ? [] : decodeRowResults(earlier);
  return rows.map((_, index) => (known[index]?.kind === "error" ? undefined : known[index]));
}

async function ask(
  inputs: readonly TextInput[],
  chunk: ChunkInput,
  pipeline: InferencePipeline,
): Promise<readonly ItemResult[] | Exclude<ChunkOutcome, { kind: "answered" }>> {
  if (inputs.length === 0) return [];
  const { job, timeoutMs, cancellation, defaultModel } = chunk;
  const { model = defaultModel, version, options } = job.request;
  const request = {
    ...{ model, version, options, inputs, cancellation },
    deadlineMs: pipeline.clock.nowMs() + timeoutMs,
    flow: { id: job.owner, weight: 1 },
    lane: "bulk" as const,
  };
  const items: ItemResult[] = [];
  for (let start = 0; start < inputs.length; start += SLICE_TEXTS) {
    const slice = inputs.slice(start, start + SLICE_TEXTS);
    const startedMs = pipeline.clock.nowMs();
    const answered = await askSlice({ ...request, inputs: slice }, pipeline);
    if ("error" in answered) {
      const { error } = answered;
      // A model may be loaded later, here or on another engine; only patience tells.
      const mayPass = isPassing(error.code) || error.code === "not_found";
      return { kind: mayPass && !chunk.isLastAttempt ? "retry" : "hopeless", error };
    }
    items.push(...answered.items);
    await giveWay(pipeline, pipeline.clock.nowMs() - startedMs);
  }
  return items;
}

type SliceAnswer = { readonly items: readonly ItemResult[] } | { readonly error: SluiceError };

/** @returns an error only when the slice as a whole could not be asked */
async function askSlice(
  request: InferenceRequest,
  pipeline: InferencePipeline,
): Promise<SliceAnswer> {
  const items: ItemResult[] = new Array(request.inputs.length);
  try {
    for await (const { index, item } of streamInference(request, pipeline, SLICE_TEXTS)) {
      items[index] = item;
    }
    return { items };
  } catch (thrown) {
    return { error: toSluiceError(thrown) };
  }
}

/**
 * Lets others have the thread; while somebody waits for answers, for as long as the last slice took, so that a job takes at
 * most half of it.
 */
function giveWay({ clock, activity }: InferencePipeline, tookMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (activity.isRecent(clock.nowMs())) clock.setTimer(Math.max(1, tookMs), resolve);
    else clock.defer(resolve);
  });
}

function toProblem(row: JobRow): RowResult {
  const message = "problem" in row ? row.problem : "The row has no answer.";
  return { kind: "error", code: "invalid_argument", message, id: row.id };
}
