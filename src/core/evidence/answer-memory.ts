import type { ItemResult } from "../inference/result.ts";

/** What one text of a request was answered. */
export interface RememberedAnswer {
  readonly version: string;
  /** Best label; null when the model abstained. */
  readonly label: string | null;
}

/** A request that was answered a while ago. */
export interface RememberedRequest {
  readonly model: string;
  readonly answeredAtMs: number;
  /** By position in the request; undefined for a text that has no label: it failed, or its answer is a vector. */
  readonly answers: readonly (RememberedAnswer | undefined)[];
}

interface Entry extends RememberedRequest {
  readonly answers: (RememberedAnswer | undefined)[];
}

/** Texts of one request that are remembered: those of a long stream would push out everybody else's. */
const MAX_ANSWERS = 1000;

/** The last answers of this process, by request, so that somebody may say whether they were right. Holds no text. */
export class AnswerMemory {
  readonly #capacity: number;
  /** In the order in which requests came. */
  readonly #requests = new Map<string, Entry>();

  /** @param capacity requests that are remembered at most; 0 = none */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Remembers answers of a request. @param first position of the first one in the request */
  remember(
    requestId: string,
    model: string,
    items: readonly ItemResult[],
    { first = 0, nowMs }: { readonly first?: number; readonly nowMs: number },
  ): void {
    if (this.#capacity === 0) return;
    let entry = this.#requests.get(requestId);
    if (entry === undefined) {
      entry = { model, answeredAtMs: nowMs, answers: [] };
      this.#requests.set(requestId, entry);
      if (this.#requests.size > this.#capacity) this.#forgetOldest();
    }
    for (let i = 0; i < items.length && first + i < MAX_ANSWERS; i++) {
      entry.answers[first + i] = toAnswer(items[i]);
    }
  }

  /** Undefined when it was never answered here, or too long ago. */
  find(requestId: string): RememberedRequest | undefined {
    return this.#requests.get(requestId);
  }

  #forgetOldest(): void {
    const oldest = this.#requests.keys().next();
    if (oldest.done !== true) this.#requests.delete(oldest.value);
  }
}

/** What can be said to be right or wrong; undefined for what cannot. */
export function toAnswer(item: ItemResult | undefined): RememberedAnswer | undefined {
  if (item?.ok !== true || item.prediction.kind === "vector") return undefined;
  return { version: item.version, label: item.prediction.labels[0]?.label ?? null };
}
