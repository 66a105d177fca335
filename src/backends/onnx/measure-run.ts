import type { ModelRunner } from "./model-runner.ts";

/** Enough for the compiler to have optimised a kernel; a slow model stops at the time limit instead. */
const WARMUP_RUNS = 300;
const SAMPLES = 100;
const MIN_SAMPLES = 3;
const MAX_PHASE_MS = 50;

/**
 * Warms a runner up and measures it.
 *
 * @param texts ids of typical texts, taken in turn; at least one.
 * @returns the median time of a run with a single text, in milliseconds.
 * @throws what `runner.run` throws.
 */
export async function measureRunMs(
  runner: ModelRunner,
  texts: readonly Int32Array[],
): Promise<number> {
  await sampleRuns(runner, texts, WARMUP_RUNS);
  const samples = await sampleRuns(runner, texts, SAMPLES);
  samples.sort((a, b) => a - b);
  return samples[Math.floor(samples.length / 2)] ?? 0;
}

async function sampleRuns(
  runner: ModelRunner,
  texts: readonly Int32Array[],
  count: number,
): Promise<number[]> {
  const samples: number[] = [];
  const phaseStart = performance.now();
  while (samples.length < count) {
    const batch = texts.slice(samples.length % texts.length).slice(0, 1);
    const start = performance.now();
    const rows = runner.run(batch);
    // Waiting for what is already there would count a turn of the event loop.
    if (rows instanceof Promise) await rows;
    const end = performance.now();
    samples.push(end - start);
    if (samples.length >= MIN_SAMPLES && end - phaseStart > MAX_PHASE_MS) break;
  }
  return samples;
}
