/** Measures how many ids per millisecond callers ask for, refused ones included: an average that fades with time. */
export class OfferedRate {
  readonly #timeConstantMs: number;
  #tokens = 0;
  #lastMs = 0;

  /** @param timeConstantMs how far back the rate looks */
  constructor(timeConstantMs: number) {
    this.#timeConstantMs = timeConstantMs;
  }

  add(tokens: number, nowMs: number): void {
    this.#tokens = this.#fade(nowMs) + tokens;
    this.#lastMs = nowMs;
  }

  tokensPerMs(nowMs: number): number {
    return this.#fade(nowMs) / this.#timeConstantMs;
  }

  #fade(nowMs: number): number {
    return this.#tokens * Math.exp((this.#lastMs - nowMs) / this.#timeConstantMs);
  }
}
