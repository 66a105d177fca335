import type { CalibrationMethod } from "./activation-range.ts";
import { decideActivationRange } from "./activation-range.ts";
import type { AffineScale } from "./affine-scale.ts";
import { toAffineScale } from "./affine-scale.ts";
import type { Divisors, ValueStatistics } from "./calibration-statistics.ts";
import { collectRoundedMeans, collectStatistics } from "./calibration-statistics.ts";
import { openActivationSource } from "./collect-activations.ts";
import type { LinearLayer } from "./linear-layers.ts";
import type { ModelSessionOptions } from "./model-session.ts";
import { decideSmoothingDivisors } from "./smoothing-divisors.ts";

/** What the calibration texts say about a model, smoothed or not. */
export interface SmoothedStatistics {
  readonly divisors: Divisors;
  readonly values: ReadonlyMap<string, ValueStatistics>;
}

/** How constant scales come about. */
export interface ScaleChoice {
  readonly method: CalibrationMethod;
  /** Whether channels are divided; see `smoothing-divisors.ts`. */
  readonly isSmoothed: boolean;
}

/** Runs the calibration texts through the float model, as often as there are questions, and remembers the answers. */
export interface Calibration {
  readStatistics(isSmoothed: boolean): Promise<SmoothedStatistics>;
  readScales(choice: ScaleChoice): Promise<ReadonlyMap<string, AffineScale>>;
  /** Mean of each channel after the way to bytes and back with these scales. */
  readRoundedMeans(choice: ScaleChoice): Promise<ReadonlyMap<string, Float64Array>>;
  close(): Promise<void>;
}

export interface CalibrationOptions extends ModelSessionOptions {
  readonly model: Uint8Array;
  readonly layers: readonly LinearLayer[];
  readonly texts: readonly Int32Array[];
  readonly percentile: number;
}

/** Opens the float model for calibration. Every pass runs all texts once. */
export async function openCalibration(options: CalibrationOptions): Promise<Calibration> {
  const { model, layers, texts, percentile } = options;
  const inputs = [...new Set(layers.map(({ input }) => input))];
  const source = await openActivationSource(model, inputs, options);

  const readStatistics = remember(
    String,
    async (isSmoothed: boolean): Promise<SmoothedStatistics> => {
      if (!isSmoothed) {
        return { divisors: new Map(), values: await collectStatistics(source, texts, new Map()) };
      }
      const divisors = toDivisors(await readStatistics(false), layers);
      return { divisors, values: await collectStatistics(source, texts, divisors) };
    },
  );

  const readScales = remember(toKey, async ({ method, isSmoothed }: ScaleChoice) => {
    const { values } = await readStatistics(isSmoothed);
    return new Map(
      [...values].map(([value, { histogram }]): [string, AffineScale] => [
        value,
        toAffineScale(decideActivationRange(histogram, method, percentile)),
      ]),
    );
  });

  const readRoundedMeans = remember(toKey, async (choice: ScaleChoice) => {
    const { divisors } = await readStatistics(choice.isSmoothed);
    return collectRoundedMeans(source, texts, await readScales(choice), divisors);
  });

  return { readStatistics, readScales, readRoundedMeans, close: () => source.close() };
}

function toKey({ method, isSmoothed }: ScaleChoice): string {
  return `${method} ${isSmoothed}`;
}

function toDivisors(
  { values }: SmoothedStatistics,
  layers: readonly LinearLayer[],
): ReadonlyMap<string, Float32Array> {
  const all = new Map<string, Float32Array>();
  for (const [value, { channels }] of values) {
    const matrices = layers.filter(({ input }) => input === value).map(({ matrix }) => matrix);
    const divisors = decideSmoothingDivisors(channels, matrices);
    if (divisors !== undefined) all.set(value, divisors);
  }
  return all;
}

/** Asks once per question. */
function remember<Question, Answer>(
  toKey: (question: Question) => string,
  ask: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (question) => {
    const key = toKey(question);
    const answer = answers.get(key) ?? ask(question);
    answers.set(key, answer);
    return answer;
  };
}
