/** Below this many left entries, tidying up costs more than it saves. */
const MIN_GAPS_TO_COMPACT = 64;

/** Whose work it is, and how large a share it may claim. */
export interface Flow {
  /** All work with the same id shares one claim, e.g. an API key or an address. */
  readonly id: string;
  /** Share relative to other flows; > 0. */
  readonly weight: number;
}

/** What an entry must have: its length, its flow, and places for the line's own notes. */
export interface LineEntry {
  /** Ids of the text. */
  readonly tokens: number;
  readonly flow: Flow;
  /** Virtual time at which the entry's turn begins. Owned by the line. */
  startTag: number;
  /** Owned by the line; false outside of it. */
  isWaiting: boolean;
}

/** What one flow has waiting. */
interface FlowState {
  /** Virtual time at which everything that the flow ever queued is served. */
  finishTag: number;
  /** As of its first waiting entry. */
  weight: number;
  items: number;
  tokens: number;
}

/**
 * A line in which every flow gets its share of the ids that leave, however many entries others put in: start-time fair
 * queueing (Goyal, Vin and Cheng, "Start-Time Fair Queuing", SIGCOMM 1996), with ids as the unit of work. Within a
 * flow, and when there is only one, the order is first come, first served.
 *
 * Entries may leave from anywhere in constant time; they are marked, and squeezed out once they outnumber those that
 * wait, so memory stays proportional to what waits.
 */
export class FairLine<Entry extends LineEntry> {
  /** In the order of their turn; marked entries among them have left. */
  #entries: Entry[] = [];
  #head = 0;
  #size = 0;
  #tokens = 0;
  #virtualTime = 0;
  readonly #flows = new Map<string, FlowState>();
  #activeWeight = 0;

  get size(): number {
    return this.#size;
  }

  /** Sum of the ids of all entries. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Ids that `flow` has waiting. */
  tokensOf(flow: Flow): number {
    return this.#flows.get(flow.id)?.tokens ?? 0;
  }

  /** The part of what leaves that `flow` may claim once it has something waiting; 1 when it is alone. */
  shareOf({ id, weight }: Flow): number {
    const isActive = (this.#flows.get(id)?.items ?? 0) > 0;
    return weight / (isActive ? this.#activeWeight : this.#activeWeight + weight);
  }

  /** The entry whose turn it is. */
  get next(): Entry | undefined {
    this.#skipGaps();
    return this.#entries[this.#head];
  }

  push(entry: Entry): void {
    const flow = this.#flowOf(entry.flow);
    entry.startTag = Math.max(this.#virtualTime, flow.finishTag);
    entry.isWaiting = true;
    flow.finishTag = entry.startTag + entry.tokens / entry.flow.weight;
    if (flow.items === 0) {
      flow.weight = entry.flow.weight;
      this.#activeWeight += flow.weight;
    }
    flow.items++;
    flow.tokens += entry.tokens;
    this.#size++;
    this.#tokens += entry.tokens;
    this.#insert(entry);
  }

  /** Takes `entry` out, wherever it stands. False when it is not in the line. */
  remove(entry: Entry): boolean {
    if (!entry.isWaiting) return false;
    this.#leave(entry);
    this.#compact();
    return true;
  }

  /**
   * Takes out entries whose work begins now. The turn of `entries[0]` is what time is in this line from now on.
   */
  serve(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first !== undefined) this.#virtualTime = Math.max(this.#virtualTime, first.startTag);
    for (const entry of entries) this.#leave(entry);
    this.#compact();
  }

  /**
   * The entries that may be served together with the next one, itself first: those of its own flow, and those of
   * others whose turn is at most `horizon` ids away, so that being convenient never lets a flow far ahead of its turn.
   *
   * @param count how many at most
   */
  candidates(count: number, horizon: number): Entry[] {
    const { next } = this;
    if (next === undefined) return [];
    const latestTag = next.startTag + horizon;
    const found: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length && found.length < count; i++) {
      const entry = this.#entries[i];
      if (entry?.isWaiting !== true) continue;
      if (entry.startTag <= latestTag || entry.flow.id === next.flow.id) found.push(entry);
    }
    return found;
  }

  /** Takes out every entry that `shouldLeave`, in the order of their turn. */
  removeWhere(shouldLeave: (entry: Entry) => boolean): Entry[] {
    const leaving: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry?.isWaiting === true && shouldLeave(entry)) leaving.push(entry);
    }
    for (const entry of leaving) this.#leave(entry);
    this.#compact();
    return leaving;
  }

  #flowOf({ id }: Flow): FlowState {
    let flow = this.#flows.get(id);
    if (flow === undefined) {
      flow = { finishTag: 0, weight: 0, items: 0, tokens: 0 };
      this.#flows.set(id, flow);
    }
    return flow;
  }

  /** Nearly always at the end; only a flow that asks for little overtakes. */
  #insert(entry: Entry): void {
    const last = this.#entries.at(-1);
    if (last === undefined || last.startTag <= entry.startTag) {
      this.#entries.push(entry);
      return;
    }
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.startTag ?? 0) <= entry.startTag) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
  }

  #leave(entry: Entry): void {
    entry.isWaiting = false;
    this.#size--;
    this.#tokens -= entry.tokens;
    const flow = this.#flowOf(entry.flow);
    flow.items--;
    flow.tokens -= entry.tokens;
    if (flow.items === 0) this.#activeWeight -= flow.weight;
  }

  #skipGaps(): void {
    const { length } = this.#entries;
    while (this.#head < length && this.#entries[this.#head]?.isWaiting === false) this.#head++;
  }

  #compact(): void {
    const gaps = this.#entries.length - this.#size;
    if (this.#size === 0) this.#reset();
    else if (gaps > MIN_GAPS_TO_COMPACT && gaps > this.#size) {
      this.#entries = this.#entries.filter((entry) => entry.isWaiting);
      this.#head = 0;
      this.#forgetIdleFlows();
    }
  }

  /** An empty line owes nobody anything. */
  #reset(): void {
    if (this.#entries.length > 0) this.#entries = [];
    this.#head = 0;
    this.#virtualTime = 0;
    this.#activeWeight = 0;
    this.#flows.clear();
  }

  /** A flow whose last turn is over would start at the present time anyhow. */
  #forgetIdleFlows(): void {
    for (const [id, flow] of this.#flows) {
      if (flow.items === 0 && flow.finishTag <= this.#virtualTime) this.#flows.delete(id);
    }
  }
}
