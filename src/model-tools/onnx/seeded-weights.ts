import type { Random } from "../train/random.ts";
import { createRandom } from "../train/random.ts";
import type { EncoderConfig, EncoderHead } from "./encoder-config.ts";
import type { WeightReader, WeightSlot } from "./encoder-weights.ts";
import { listEncoderWeights } from "./encoder-weights.ts";

/** What BERT's weights are drawn with before training. */
const STANDARD_DEVIATION = 0.02;

/** Channels of every LayerNorm that are scaled up, as a few are in trained encoders, and by how much. */
const OUTLIER_CHANNELS = 3;
const OUTLIER_FACTOR = 6;

/**
 * Makes up weights for tests and measurements of speed: normally distributed, biases too, with a few LayerNorm channels
 * that stand out the way trained encoders' do, because these are what makes quantization hard. Every array depends on
 * the seed and its own name only.
 *
 * @returns a reader that knows every name with and without `bert.` in front.
 */
export function createSeededWeights(
  config: EncoderConfig,
  head: EncoderHead,
  seed: number,
): WeightReader {
  const slots = new Map(listEncoderWeights(config, head).map((slot) => [slot.name, slot]));
  return (name) => {
    const slot = slots.get(name.replace(/^bert\./, ""));
    if (slot === undefined) return undefined;
    return { shape: slot.shape, values: drawValues(slot, seed) };
  };
}

function drawValues({ name, shape }: WeightSlot, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  fillNormal(values, createRandom(seed ^ hashName(name)));
  if (!name.endsWith("LayerNorm.weight")) return values;
  for (let i = 0; i < values.length; i++) values[i] = 1 + (values[i] as number);
  // The same channels in every layer, as in trained encoders, where the residual path carries them through.
  const channels = createRandom(seed);
  for (let drawn = 0; drawn < OUTLIER_CHANNELS; drawn++) {
    const channel = Math.floor(channels() * values.length);
    values[channel] = OUTLIER_FACTOR;
  }
  return values;
}

/** Pairs of normal numbers from pairs of even ones (Box and Muller). */
function fillNormal(values: Float32Array, random: Random): void {
  for (let i = 0; i < values.length; i += 2) {
    const radius = STANDARD_DEVIATION * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    values[i] = radius * Math.cos(angle);
    // Writing past the end of a typed array does nothing, which an odd length relies on.
    values[i + 1] = radius * Math.sin(angle);
  }
}

/** FNV-1a in 32 bits. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash;
}
