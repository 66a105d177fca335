import type { AnswerForm } from "./model-answers.ts";
import { runBatch, toSortedBatches } from "./model-answers.ts";
import type { ModelSession } from "./model-session.ts";

/** A size of batch that is timed. */
export interface BatchShape {
  readonly batch: number;
  /** Ids per text. */
  readonly length: number;
}

/** How long runs take, side by side. */
export interface SpeedReport {
  readonly shapes: readonly (BatchShape & { readonly medianMs: readonly number[] })[];
  /** Real texts per second, sorted by length, 256 ids per run; one number per model. */
  readonly textsPerSecond: readonly number[];
}

/** What is timed: single texts of three lengths, a batch of short ones, a single long one. */
export const TIMED_SHAPES: readonly BatchShape[] = [
  { batch: 1, length: 16 },
  { batch: 1, length: 64 },
  { batch: 1, length: 128 },
  { batch: 8, length: 32 },
  { batch: 1, length: 256 },
];

export interface SpeedOptions {
  /** Times per shape and model; the median counts. */
  readonly repetitions: number;
  /** Times through the texts; the fastest counts. */
  readonly passes: number;
  /** Longer shapes are left out. */
  readonly maxTokens: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/**
 * Times several models on the same input in turn, so that whatever else the machine does hits all of them alike.
 *
 * @param texts for the throughput; their ids also fill the shapes.
 * @returns numbers in the order of the sessions.
 */
export async function measureSpeed(
  sessions: readonly ModelSession[],
  form: AnswerForm,
  texts: readonly Int32Array[],
  options: SpeedOptions,
): Promise<SpeedReport> {
  const shapes = TIMED_SHAPES.filter(({ length }) => length <= options.maxTokens);
  const timed: SpeedReport["shapes"][number][] = [];
  for (const shape of shapes) {
    const batch = createBatch(texts, shape);
    timed.push({ ...shape, medianMs: await timeInTurn(sessions, form, batch, options) });
  }
  return { shapes: timed, textsPerSecond: await timeTexts(sessions, form, texts, options) };
}

async function timeInTurn(
  sessions: readonly ModelSession[],
  form: AnswerForm,
  batch: readonly Int32Array[],
  { repetitions, now }: SpeedOptions,
): Promise<number[]> {
  const times = sessions.map((): number[] => []);
  // The first round warms up.
  for (let round = 0; round <= repetitions; round++) {
    for (const [index, session] of sessions.entries()) {
      const start = now();
      await runBatch(session, form, batch);
      if (round > 0) times[index]?.push(now() - start);
    }
  }
  return times.map(toMedian);
}

async function timeTexts(
  sessions: readonly ModelSession[],
  form: AnswerForm,
  texts: readonly Int32Array[],
  { passes, now }: SpeedOptions,
): Promise<number[]> {
  const batches = toSortedBatches(texts).map((indexes) =>
    indexes.map((index) => texts[index] as Int32Array),
  );
  const fastest = sessions.map(() => Number.POSITIVE_INFINITY);
  for (let pass = 0; pass < passes; pass++) {
    const spent = sessions.map(() => 0);
    for (const batch of batches) {
      for (const [index, session] of sessions.entries()) {
        const start = now();
        await runBatch(session, form, batch);
        spent[index] = (spent[index] as number) + now() - start;
      }
    }
    for (const [index, ms] of spent.entries()) {
      fastest[index] = Math.min(fastest[index] as number, ms);
    }
  }
  return fastest.map((ms) => (1000 * texts.length) / ms);
}

/** Ids of the texts one after the other, from the start again when they run out. */
function createBatch(texts: readonly Int32Array[], { batch, length }: BatchShape): Int32Array[] {
  const ids = texts.flatMap((text) => [...text]);
  return Array.from({ length: batch }, (_, row) =>
    Int32Array.from({ length }, (_, at) => ids[(row * length + at) % ids.length] ?? 0),
  );
}

function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
