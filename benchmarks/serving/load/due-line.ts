/** Due times of requests that wait for a connection, oldest first. Holds a fixed number, so that it cannot grow. */
export class DueLine {
  readonly #times: Float64Array;
  #first = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** @returns false when there is no room */
  push(dueMs: number): boolean {
    if (this.#length === this.#times.length) return false;
    this.#times[(this.#first + this.#length) % this.#times.length] = dueMs;
    this.#length++;
    return true;
  }

  shift(): number | undefined {
    if (this.#length === 0) return undefined;
    const dueMs = this.#times[this.#first];
    this.#first = (this.#first + 1) % this.#times.length;
    this.#length--;
    return dueMs;
  }
}
