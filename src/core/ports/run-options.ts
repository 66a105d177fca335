/** What a backend is told about a run beside what it shall compute. Those that compute by themselves need none of it. */
export interface RunOptions {
  /** No caller asked: a release does so by itself, and metrics of what callers ask leave the run out, wherever it happens. */
  readonly isCopy: boolean;
}
