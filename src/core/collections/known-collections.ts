import { SluiceError } from "../errors.ts";
import type { VectorCollection, VectorStore } from "../ports/vector-store.ts";

/** What is constant about a collection is looked up this seldom. */
const KNOWN_FOR_MS = 5000;

/** Counting a collection's items is not for every search; its constants hardly ever change. */
export class KnownCollections {
  readonly #store: VectorStore;
  readonly #nowMs: () => number;
  #known = new Map<string, VectorCollection>();
  #untilMs = 0;

  constructor(store: VectorStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  async find(name: string): Promise<VectorCollection | undefined> {
    const known = this.#nowMs() < this.#untilMs ? this.#known.get(name) : undefined;
    if (known !== undefined) return known;
    this.#known = new Map((await this.#store.list()).map((one) => [one.name, one]));
    this.#untilMs = this.#nowMs() + KNOWN_FOR_MS;
    return this.#known.get(name);
  }

  /** @throws SluiceError `not_found` */
  async get(name: string): Promise<VectorCollection> {
    const found = await this.find(name);
    if (found === undefined) throw unknownCollection(name);
    return found;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}

export function unknownCollection(name: string): SluiceError {
  const message = `There is no collection "${name.slice(0, 64)}"; GET /v1/collections lists those that there are.`;
  return new SluiceError("not_found", message, {
    details: [{ field: "collection", problem: "is not the name of a collection" }],
  });
}
