/** Below this many removed entries, tidying up costs more than it saves. */
const MIN_GAPS_TO_COMPACT = 64;

/** What an entry must have: its length, and a place to note where it stands. */
export interface LineEntry {
  /** Ids of the text. */
  readonly tokens: number;
  /** Owned by the line; -1 outside of it. */
  position: number;
}

/**
 * A first-in-first-out line that keeps count of the ids in it and lets entries leave from the middle.
 * Leaving marks a gap in constant time; gaps are squeezed out once they outnumber the entries, so memory stays
 * proportional to what waits.
 */
export class WaitingLine<Entry extends LineEntry> {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #size = 0;
  #tokens = 0;

  get size(): number {
    return this.#size;
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
    entry.position = this.#entries.length;
    this.#entries.push(entry);
    this.#size++;
    this.#tokens += entry.tokens;
  }

  /** Takes `entry` out, wherever it stands. False when it is not in the line. */
  remove(entry: Entry): boolean {
    if (entry.position < 0) return false;
    this.#leave(entry);
    this.#compact();
    return true;
  }

  /** Takes out the `count` oldest entries, oldest first. */
  take(count: number): Entry[] {
    const taken: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length && taken.length < count; i++) {
      const entry = this.#entries[i];
      if (entry === undefined) continue;
      taken.push(entry);
      this.#leave(entry);
    }
    this.#compact();
    return taken;
  }

  /** Ids of the oldest `count` entries, oldest first. */
  frontTokens(count: number): number[] {
    const tokens: number[] = [];
    for (let i = this.#head; i < this.#entries.length && tokens.length < count; i++) {
      const entry = this.#entries[i];
      if (entry !== undefined) tokens.push(entry.tokens);
    }
    return tokens;
  }

  /** Takes out every entry that `shouldLeave`, oldest first. */
  removeWhere(shouldLeave: (entry: Entry) => boolean): Entry[] {
    const leaving: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry !== undefined && shouldLeave(entry)) leaving.push(entry);
    }
    for (const entry of leaving) this.#leave(entry);
    this.#compact();
    return leaving;
  }

  #leave(entry: Entry): void {
    this.#entries[entry.position] = undefined;
    entry.position = -1;
    this.#size--;
    this.#tokens -= entry.tokens;
  }

  #skipGaps(): void {
    const { length } = this.#entries;
    while (this.#head < length && this.#entries[this.#head] === undefined) this.#head++;
  }

  #compact(): void {
    const gaps = this.#entries.length - this.#size;
    if (this.#size === 0) {
      if (gaps > 0) this.#entries = [];
      this.#head = 0;
    } else if (gaps > MIN_GAPS_TO_COMPACT && gaps > this.#size) {
      this.#entries = this.#entries.filter((entry) => entry !== undefined);
      for (const [position, entry] of this.#entries.entries()) {
        if (entry !== undefined) entry.position = position;
      }
      this.#head = 0;
    } else {
      this.#skipGaps();
    }
  }
}
