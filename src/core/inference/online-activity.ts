/** After so long without a request nobody is taken to be waiting. */
const RECENT_MS = 1000;

/** Whether anybody waits for answers these days. Work that nobody waits for goes slower while somebody does. */
export class OnlineActivity {
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs `Clock.nowMs` time of a request of the online lane */
  note(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  isRecent(nowMs: number): boolean {
    return nowMs - this.#lastMs < RECENT_MS;
  }
}
