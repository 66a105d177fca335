/** Below this many removed entries, tidying up costs more than it saves. */
const MIN_GAPS_TO_COMPACT = 64;

/**
 * A first-in-first-out line that keeps count of the ids in it and lets entries leave from the middle.
 * Leaving marks a gap in constant time; gaps are squeezed out once they outnumber the entries, so memory stays
 * proportional to what waits.
 */
export class WaitingLine<Entry extends object> {
  readonly #tokensOf: (entry: Entry) => number;
  #entries: (Entry | undefined)[] = [];
  #positions = new Map<Entry, number>();
  #head = 0;
  #tokens = 0;

  constructor(tokensOf: (entry: Entry) => number) {
    this.#tokensOf = tokensOf;
  }

  get size(): number {
    return this.#positions.size;
  }

  /** Sum of the ids of all entries. */
  get tokens(): number {
    return this.#tokens;
  }

  get oldest(): Entry | undefined {
    this.#skipGaps();
    return this.#entries[this.#head];
  }

  push(entry: Entry): void {
    this.#positions.set(entry, this.#entries.length);
    this.#entries.push(entry);
    this.#tokens += this.#tokensOf(entry);
  }

  /** Takes `entry` out, wherever it stands. False when it is not in the line. */
  remove(entry: Entry): boolean {
    const position = this.#positions.get(entry);
    if (position === undefined) return false;
    this.#positions.delete(entry);
    this.#entries[position] = undefined;
    this.#tokens -= this.#tokensOf(entry);
    this.#compact();
    return true;
  }

  /** Takes out the `count` oldest entries, oldest first. */
  take(count: number): Entry[] {
    const taken: Entry[] = [];
    for (const entry of this.#fromHead()) {
      if (taken.length === count) break;
      taken.push(entry);
    }
    for (const entry of taken) this.remove(entry);
    return taken;
  }

  /** Ids of the oldest `count` entries, oldest first. */
  frontTokens(count: number): number[] {
    const tokens: number[] = [];
    for (const entry of this.#fromHead()) {
      if (tokens.length === count) break;
      tokens.push(this.#tokensOf(entry));
    }
    return tokens;
  }

  /** Takes out every entry that `shouldLeave`, oldest first. */
  removeWhere(shouldLeave: (entry: Entry) => boolean): Entry[] {
    const leaving = [...this.#fromHead()].filter(shouldLeave);
    for (const entry of leaving) this.remove(entry);
    return leaving;
  }

  *#fromHead(): Generator<Entry> {
    this.#skipGaps();
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry !== undefined) yield entry;
    }
  }

  #skipGaps(): void {
    while (this.#head < this.#entries.length && this.#entries[this.#head] === undefined)
      this.#head++;
  }

  #compact(): void {
    const gaps = this.#entries.length - this.#positions.size;
    if (this.#positions.size === 0) {
      this.#entries = [];
      this.#head = 0;
    } else if (gaps > MIN_GAPS_TO_COMPACT && gaps > this.#positions.size) {
      this.#entries = [...this.#fromHead()];
      this.#positions = new Map(this.#entries.map((entry, index) => [entry as Entry, index]));
      this.#head = 0;
    }
  }
}
