const SAMPLE_MS = 20;

/** How late the event loop runs, right now. */
export interface EventLoopLag {
  /**
   * Milliseconds by which the latest two samples both came late; 0 when the loop keeps up. Two, because one long pause,
   * a garbage collection say, is over when it is seen.
   */
  readonly lagMs: number;
  stop(): void;
}

/** Samples the loop with a timer: a timer that comes late says that everything else comes late too. */
export function watchEventLoopLag(): EventLoopLag {
  let expectedMs = performance.now() + SAMPLE_MS;
  let latestMs = 0;
  let lagMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const sampleMs = Math.max(0, nowMs - expectedMs);
    lagMs = Math.min(latestMs, sampleMs);
    latestMs = sampleMs;
    expectedMs = nowMs + SAMPLE_MS;
  }, SAMPLE_MS);
  timer.unref();
  return {
    get lagMs() {
      return lagMs;
    },
    stop: () => clearInterval(timer),
  };
}
