import type { TextInput } from "../inference/request.ts";
import type { ItemResult } from "../inference/result.ts";
import type { Clock } from "../ports/clock.ts";
import type { EvidenceStore, KeptText } from "../ports/evidence-store.ts";
import { maskText } from "../privacy/mask-text.ts";
import { toAnswer } from "./answer-memory.ts";

export interface TextSamplerOptions {
  readonly store: () => Promise<Pick<EvidenceStore, "keepTexts">>;
  readonly clock: Pick<Clock, "setTimer">;
  /** Share of the requests whose texts are kept, 0 to 1. */
  readonly share: number;
  /** Texts of each model that are kept. */
  readonly perModel: number;
  /** 0 ≤ x < 1, each time another. */
  readonly random: () => number;
  /** Hears that texts could not be kept; they are gone. */
  readonly failed: (thrown: unknown) => void;
}

/** A request that was answered, as the sampler sees it. */
export interface SampledRequest {
  readonly requestId: string;
  readonly model: string;
  readonly inputs: readonly TextInput[];
  readonly items: readonly ItemResult[];
  /** Position of the first of them in the request. */
  readonly first: number;
  readonly answeredAtMs: number;
}

/** Keeps a sample of the texts that are asked. */
export interface TextSampler {
  /** Never waits, never throws. */
  offer(request: SampledRequest): void;
  /** Keeps what waits, and resolves when it is kept, or gone. */
  flush(): Promise<void>;
}

const INTERVAL_MS = 500;
/** Texts that wait at most; a store that is slow costs samples and no memory. */
const CAPACITY = 2000;

/** Texts are masked before they are kept, on the way to the store and not while somebody waits for an answer. */
export function createTextSampler(options: TextSamplerOptions): TextSampler {
  const { store, clock, share, perModel, random, failed } = options;
  let waiting: SampledRequest[] = [];
  let size = 0;
  let cancel: (() => void) | undefined;
  let flight: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    const requests = waiting;
    waiting = [];
    size = 0;
    if (requests.length === 0) return flight;
    flight = flight.then(async () => {
      try {
        await (await store()).keepTexts(requests.flatMap(toKeptTexts), perModel);
      } catch (thrown) {
        failed(thrown);
      }
    });
    return flight;
  };
  return {
    offer: (request) => {
      if (random() >= share || size + request.items.length > CAPACITY) return;
      waiting.push(request);
      size += request.items.length;
      cancel ??= clock.setTimer(INTERVAL_MS, () => void flush());
    },
    flush,
  };
}

/** What has no label says nothing about versions. */
function toKeptTexts(request: SampledRequest): KeptText[] {
  const { requestId, model, inputs, items, first, answeredAtMs } = request;
  return items.flatMap((item, at): KeptText[] => {
    const answer = toAnswer(item);
    const input = inputs[at];
    if (answer === undefined || input === undefined) return [];
    const pair = input.pair === undefined ? null : maskText(input.pair);
    const facts = { requestId, item: first + at, model, answeredAtMs };
    return [{ ...facts, ...answer, text: maskText(input.text), pair }];
  });
}
