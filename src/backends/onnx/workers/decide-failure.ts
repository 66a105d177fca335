/** How a worker that was running a batch went. */
export type WorkerFate = "died" | "hung";

/** A batch whose worker died is run once more; when that worker dies too, the batch is to blame. */
const MAX_FAILURES_PER_BATCH = 2;
/**
 * Threads that hang hold memory and perhaps a core for ever, so they are not replaced without end. One text that hangs
 * every time costs three: its batch, the second attempt of that batch, and its own attempt alone.
 */
const MAX_LOST_THREADS = 3;

/**
 * Whether a batch whose worker failed gets another worker. Pure. A second attempt after a hang is made only while no
 * other thread is lost, because it may well cost one more.
 *
 * @param failures how many workers failed with this batch so far, this time included
 * @param lostThreads threads that hang now, this one included
 */
export function isWorthAnotherTry(
  fate: WorkerFate,
  failures: number,
  lostThreads: number,
): boolean {
  if (failures >= MAX_FAILURES_PER_BATCH) return false;
  return fate === "died" || lostThreads <= 1;
}

/** Whether a worker that failed is replaced. Pure. */
export function isWorthReplacing(lostThreads: number): boolean {
  return lostThreads <= MAX_LOST_THREADS;
}

/** A run is not hung before it has taken this many times as long as predicted. */
const HANG_FACTOR = 20;

/**
 * After how many milliseconds a run counts as hung; 0 = never. Pure.
 *
 * @param configuredMs what the configuration says; 0 = never
 */
export function decideHangTimeoutMs(configuredMs: number, predictedMs: number): number {
  return configuredMs === 0 ? 0 : Math.max(configuredMs, HANG_FACTOR * predictedMs);
}
