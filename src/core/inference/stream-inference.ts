import type { SluiceError } from "../errors.ts";
import { toSluiceError } from "../errors.ts";
import { answerTexts } from "../graphs/answer-texts.ts";
import type { Clock } from "../ports/clock.ts";
import type { InferenceRequest, TextInput } from "./request.ts";
import type { ItemResult } from "./result.ts";
import type { InferencePipeline } from "./run-inference.ts";

/** The answer for the text at `index` of the request. */
export interface StreamedItem {
  readonly index: number;
  readonly item: ItemResult;
}

/** Slices under way at once: the next is there when one ends. */
const SLICES_AT_ONCE = 2;
/** A slice that was turned away is tried again after at most this. */
const MAX_WAIT_MS = 1000;

/**
 * Answers many texts, each as soon as its answer is there, in whatever order that happens. They are asked in slices,
 * so that a list of ten thousand never stands in the queue at once; a slice for which there is no room waits.
 *
 * @param sliceItems texts of a slice; at least 1
 * @throws SluiceError from the first `next` when the request as a whole cannot be answered; afterwards every text has
 * an item
 */
export async function* streamInference(
  request: InferenceRequest,
  pipeline: InferencePipeline,
  sliceItems: number,
): AsyncGenerator<StreamedItem, void, undefined> {
  const stream = new ItemStream();
  const slices = toSlices(request.inputs, sliceItems);
  const underWay = Promise.withResolvers<void>();
  const work = async () => {
    for (let slice = slices.shift(); slice !== undefined; slice = slices.shift()) {
      const { start, inputs } = slice;
      const report = (index: number, item: ItemResult) => {
        stream.push({ index: start + index, item });
        underWay.resolve();
      };
      await answerSlice({ ...request, inputs }, pipeline, { mayThrow: start === 0, report });
      if (request.cancellation.cancelled) return;
    }
  };
  // The first slice goes ahead: it shows whether there is such a model at all.
  const first = work();
  first.catch(underWay.reject);
  const others = Array.from({ length: SLICES_AT_ONCE - 1 }, () => underWay.promise.then(work));
  Promise.all([first, ...others]).then(
    () => stream.end(undefined),
    (thrown: unknown) => stream.end(toSluiceError(thrown)),
  );
  yield* stream.read();
}

interface SliceOptions {
  /** Whether an error of the whole slice is thrown, or reported of every text. */
  readonly mayThrow: boolean;
  readonly report: (index: number, item: ItemResult) => void;
}

async function answerSlice(
  request: InferenceRequest,
  pipeline: InferencePipeline,
  { mayThrow, report }: SliceOptions,
): Promise<void> {
  const reported = new Set<number>();
  const note = (index: number, item: ItemResult) => {
    reported.add(index);
    report(index, item);
  };
  for (;;) {
    try {
      await answerTexts(request, pipeline, note);
      return;
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (reported.size === 0 && (await waitForRoom(error, request, pipeline.clock))) continue;
      if (reported.size === 0 && mayThrow) throw error;
      for (let index = 0; index < request.inputs.length; index++) {
        if (!reported.has(index)) report(index, { ok: false, error });
      }
      return;
    }
  }
}

/** Whether the slice was only turned away, and now has a fair chance before its deadline. */
async function waitForRoom(
  { code, retryAfterMs = MAX_WAIT_MS }: SluiceError,
  { deadlineMs, cancellation }: InferenceRequest,
  clock: Clock,
): Promise<boolean> {
  if (code !== "overloaded" || cancellation.cancelled) return false;
  const waitMs = Math.min(Math.max(1, retryAfterMs), MAX_WAIT_MS);
  if (clock.nowMs() + waitMs >= deadlineMs) return false;
  await new Promise<void>((resolve) => {
    clock.setTimer(waitMs, resolve);
  });
  return !cancellation.cancelled;
}

interface Slice {
  readonly start: number;
  readonly inputs: readonly TextInput[];
}

function toSlices(inputs: readonly TextInput[], sliceItems: number): Slice[] {
  const slices: Slice[] = [];
  for (let start = 0; start < inputs.length; start += sliceItems) {
    slices.push({ start, inputs: inputs.slice(start, start + sliceItems) });
  }
  return slices;
}

/** Items on their way from those who push to the one who reads. */
class ItemStream {
  #waiting: StreamedItem[] = [];
  #ended = false;
  #error: SluiceError | undefined;
  #wake: () => void = () => {};

  push(item: StreamedItem): void {
    this.#waiting.push(item);
    this.#wake();
  }

  /** @param error thrown to the reader once it has read what there is */
  end(error: SluiceError | undefined): void {
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  async *read(): AsyncGenerator<StreamedItem, void, undefined> {
    for (;;) {
      const items = this.#waiting;
      this.#waiting = [];
      yield* items;
      if (this.#waiting.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
