import type { ActivationHistogram, HistogramCollector } from "./activation-histogram.ts";
import { createHistogramCollector } from "./activation-histogram.ts";
import type { AffineScale } from "./affine-scale.ts";
import { roundTrip } from "./affine-scale.ts";
import type { ActivationSource } from "./collect-activations.ts";

/** What is known of each channel of a value. */
export interface ChannelStatistics {
  /** Smallest number; zero if there is none below. */
  readonly low: Float64Array;
  /** Largest number; zero if there is none above. */
  readonly high: Float64Array;
  readonly means: Float64Array;
  /** Means of the squares. */
  readonly squares: Float64Array;
}

/** How one value of a graph behaves on the calibration texts, after division. */
export interface ValueStatistics {
  readonly histogram: ActivationHistogram;
  readonly channels: ChannelStatistics;
}

/** What each channel of a value is divided by, by value; values without an entry stay as they are. */
export type Divisors = ReadonlyMap<string, Float32Array>;

/** Runs the texts and collects the statistics of every value of the source. Memory does not grow with the texts. */
export async function collectStatistics(
  source: ActivationSource,
  texts: readonly Int32Array[],
  divisors: Divisors,
): Promise<ReadonlyMap<string, ValueStatistics>> {
  const collectors = new Map<string, ValueCollector>();
  await source.forEach(texts, (value, data, channels) => {
    const collector = collectors.get(value) ?? createValueCollector(channels);
    collectors.set(value, collector);
    collector.add(divideChannels(data, divisors.get(value)));
  });
  return new Map(
    [...collectors].map(([value, collector]): [string, ValueStatistics] => [
      value,
      collector.read(),
    ]),
  );
}

/**
 * Runs the texts again and finds the mean of each channel after the way to bytes and back, which differs from the mean of
 * the numbers themselves by what rounding and clipping do to them.
 */
export async function collectRoundedMeans(
  source: ActivationSource,
  texts: readonly Int32Array[],
  scales: ReadonlyMap<string, AffineScale>,
  divisors: Divisors,
): Promise<ReadonlyMap<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  const rows = new Map<string, number>();
  await source.forEach(texts, (value, data, channels) => {
    const scale = scales.get(value);
    if (scale === undefined) return;
    const sum = sums.get(value) ?? new Float64Array(channels);
    sums.set(value, sum);
    const divided = divideChannels(data, divisors.get(value));
    for (let at = 0; at < divided.length; at++) {
      const channel = at % channels;
      sum[channel] = (sum[channel] as number) + roundTrip(divided[at] as number, scale);
    }
    rows.set(value, (rows.get(value) ?? 0) + data.length / channels);
  });
  for (const [value, sum] of sums) {
    const count = rows.get(value) ?? 1;
    for (let channel = 0; channel < sum.length; channel++) {
      sum[channel] = (sum[channel] as number) / count;
    }
  }
  return sums;
}

function divideChannels(data: Float32Array, divisors: Float32Array | undefined): Float32Array {
  if (divisors === undefined) return data;
  const channels = divisors.length;
  // Multiplied by the reciprocal, because that is what the written graph does.
  const factors = divisors.map((divisor) => 1 / divisor);
  return data.map((number, at) => number * (factors[at % channels] as number));
}

interface ValueCollector {
  /** Whole rows of channels. */
  add(data: Float32Array): void;
  read(): ValueStatistics;
}

function createValueCollector(channels: number): ValueCollector {
  const histogram: HistogramCollector = createHistogramCollector();
  const low = new Float64Array(channels);
  const high = new Float64Array(channels);
  const sums = new Float64Array(channels);
  const squareSums = new Float64Array(channels);
  let rows = 0;
  return {
    add: (data) => {
      histogram.add(data);
      for (let start = 0; start < data.length; start += channels, rows++) {
        for (let channel = 0; channel < channels; channel++) {
          const number = data[start + channel] as number;
          sums[channel] = (sums[channel] as number) + number;
          squareSums[channel] = (squareSums[channel] as number) + number * number;
          if (number < (low[channel] as number)) low[channel] = number;
          else if (number > (high[channel] as number)) high[channel] = number;
        }
      }
    },
    read: () => {
      const toMean = (sum: number) => sum / Math.max(rows, 1);
      return {
        histogram: histogram.read(),
        channels: { low, high, means: sums.map(toMean), squares: squareSums.map(toMean) },
      };
    },
  };
}
