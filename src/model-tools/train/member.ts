import type { BagModel, Combiner } from "./bag-model.ts";
import { scoreExamples, toCombinerFactor } from "./bag-model.ts";
import type { ExampleSet } from "./example-set.ts";
import type { Random } from "./random.ts";
import { createRandom, shuffle } from "./random.ts";
import { computeCrossEntropy, softmaxInPlace } from "./softmax.ts";

/** Everything that decides what one member of the ensemble becomes. Plain data: it crosses to a worker thread. */
export interface MemberSettings {
  readonly buckets: number;
  readonly dimensions: number;
  readonly classes: number;
  readonly combiner: Combiner;
  /** Passes over the examples at most. */
  readonly epochs: number;
  /** Stop after this many passes without a better validation loss; the best pass counts. */
  readonly patience: number;
  readonly learningRate: number;
  /** Strength of L2 regularization relative to the mean loss of one example. */
  readonly l2: number;
  /** Share of the features of a text that are hidden at random in every pass. */
  readonly featureDropout: number;
  readonly seed: number;
  /** One factor per bucket, see `feature-scales.ts`. */
  readonly featureScales: Float32Array;
}

/** What a finished pass came to. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy on the validation examples; NaN when there are none. */
  readonly validationLoss: number;
}

/** A trained member and the pass it is from. */
export interface TrainedMember extends EpochReport {
  readonly model: BagModel;
}

/** Squared gradients start here instead of at 0, so that the first steps of rare features are not the largest. */
const INITIAL_SQUARES = 0.01;

/**
 * Trains one classifier by stochastic gradient descent with step sizes per feature (AdaGrad; Duchi, Hazan and Singer,
 * JMLR 2011; one sum of squares per row) and exact L2 decay that is caught up with when a feature is next seen.
 *
 * Two labels over one dimension, or as many dimensions as labels, need no projection: it stays fixed and the problem is
 * convex. With fewer dimensions than labels the projection is learned too.
 *
 * Deterministic: the same examples and settings give the same bits.
 */
export function trainMember(
  training: ExampleSet,
  validation: ExampleSet,
  settings: MemberSettings,
  onEpoch: (report: EpochReport) => void,
): TrainedMember {
  const learner = new Learner(settings);
  const random = createRandom(settings.seed);
  const order = Int32Array.from({ length: training.size }, (_, i) => i);
  let best: TrainedMember | undefined;
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    shuffle(order, random);
    for (const example of order) learner.learn(training, example, random);
    const model = learner.toModel();
    const logits = scoreExamples(model, validation);
    const validationLoss =
      validation.size === 0
        ? Number.NaN
        : computeCrossEntropy(logits, validation.labels, validation.weights);
    onEpoch({ epoch, validationLoss });
    if (best === undefined || !(validationLoss >= best.validationLoss)) {
      best = { model, epoch, validationLoss };
    } else if (epoch - best.epoch >= settings.patience) break;
  }
  return best ?? { model: learner.toModel(), epoch: 0, validationLoss: Number.NaN };
}

/** Two labels over one dimension are scored −v/2 and +v/2: the softmax of those is the logistic function of v. */
const PAIR_PROJECTION = [-0.5, 0.5];

/** The mutable state of a training run. All arrays are row-major like those of `BagModel`. */
class Learner {
  readonly #settings: MemberSettings;
  readonly #embeddings: Float32Array;
  readonly #squares: Float32Array;
  /** The step at which each row was last brought up to date. */
  readonly #lastSteps: Int32Array;
  readonly #projection: Float32Array;
  readonly #projectionSquares: Float32Array;
  readonly #learnsProjection: boolean;
  readonly #bias: Float32Array;
  readonly #biasSquares: Float32Array;
  readonly #sum: Float64Array;
  readonly #sumGradient: Float64Array;
  readonly #logits: Float64Array;
  #kept = new Int32Array(1024);
  #step = 0;

  constructor(settings: MemberSettings) {
    const { buckets, dimensions, classes, seed } = settings;
    this.#settings = settings;
    this.#embeddings = new Float32Array(buckets * dimensions);
    this.#squares = new Float32Array(buckets).fill(INITIAL_SQUARES);
    this.#lastSteps = new Int32Array(buckets);
    this.#learnsProjection = dimensions < classes && !(dimensions === 1 && classes === 2);
    this.#projection = this.#learnsProjection
      ? createRandomProjection(dimensions, classes, createRandom(seed ^ 0x5eed))
      : createFixedProjection(dimensions, classes);
    this.#projectionSquares = new Float32Array(dimensions * classes).fill(INITIAL_SQUARES);
    this.#bias = new Float32Array(classes);
    this.#biasSquares = new Float32Array(classes).fill(INITIAL_SQUARES);
    this.#sum = new Float64Array(dimensions);
    this.#sumGradient = new Float64Array(dimensions);
    this.#logits = new Float64Array(classes);
  }

  learn(examples: ExampleSet, example: number, random: Random): void {
    const count = this.#keepFeatures(examples, example, random);
    if (count === 0) return;
    this.#step++;
    const factor = toCombinerFactor(this.#settings.combiner, count);
    this.#sumRows(count, factor);
    this.#predict();
    const label = examples.labels[example] as number;
    const weight = examples.weights[example] as number;
    const gradient = this.#logits;
    for (let c = 0; c < gradient.length; c++) {
      gradient[c] = weight * ((gradient[c] as number) - (c === label ? 1 : 0));
    }
    this.#spreadGradient();
    this.#moveRows(count, factor);
  }

  /** Copies the ids that dropout leaves into `#kept`. @returns how many. */
  #keepFeatures(examples: ExampleSet, example: number, random: Random): number {
    const start = examples.offsets[example] as number;
    const end = examples.offsets[example + 1] as number;
    if (end - start > this.#kept.length) this.#kept = new Int32Array(2 * (end - start));
    const { featureDropout } = this.#settings;
    let count = 0;
    for (let at = start; at < end; at++) {
      if (featureDropout > 0 && random() < featureDropout) continue;
      this.#kept[count++] = examples.ids[at] as number;
    }
    return count;
  }

  /** Decays the rows of the kept features up to now and leaves their combination in `#sum`. */
  #sumRows(count: number, factor: number): void {
    const { dimensions, featureScales } = this.#settings;
    const embeddings = this.#embeddings;
    const sum = this.#sum.fill(0);
    for (let k = 0; k < count; k++) {
      const id = this.#kept[k] as number;
      this.#decayRow(id);
      const scale = factor * (featureScales[id] as number);
      for (let d = 0; d < dimensions; d++) {
        sum[d] = (sum[d] as number) + (embeddings[id * dimensions + d] as number) * scale;
      }
    }
  }

  #decayRow(id: number): void {
    const skipped = this.#step - (this.#lastSteps[id] as number);
    if (skipped === 0) return;
    this.#lastSteps[id] = this.#step;
    const { dimensions, learningRate, l2 } = this.#settings;
    const rate = learningRate / Math.sqrt(this.#squares[id] as number);
    const decay = 1 / (1 + rate * l2 * skipped);
    for (let at = id * dimensions; at < (id + 1) * dimensions; at++) {
      this.#embeddings[at] = (this.#embeddings[at] as number) * decay;
    }
  }

  /** Leaves the probabilities in `#logits`. */
  #predict(): void {
    const { dimensions, classes } = this.#settings;
    const logits = this.#logits;
    logits.set(this.#bias);
    for (let d = 0; d < dimensions; d++) {
      const value = this.#sum[d] as number;
      for (let c = 0; c < classes; c++) {
        logits[c] = (logits[c] as number) + value * (this.#projection[d * classes + c] as number);
      }
    }
    softmaxInPlace(logits);
  }

  /** From the gradient of the logits: that of the sum, and the steps of projection and bias. */
  #spreadGradient(): void {
    const { dimensions, classes, learningRate } = this.#settings;
    const gradient = this.#logits;
    for (let d = 0; d < dimensions; d++) {
      let total = 0;
      for (let c = 0; c < classes; c++) {
        const slot = d * classes + c;
        const slope = gradient[c] as number;
        total += slope * (this.#projection[slot] as number);
        if (this.#learnsProjection) {
          const step = slope * (this.#sum[d] as number);
          moveValue(this.#projection, this.#projectionSquares, slot, step, learningRate);
        }
      }
      this.#sumGradient[d] = total;
    }
    for (let c = 0; c < classes; c++) {
      moveValue(this.#bias, this.#biasSquares, c, gradient[c] as number, learningRate);
    }
  }

  #moveRows(count: number, factor: number): void {
    const { dimensions, learningRate } = this.#settings;
    const gradient = this.#sumGradient;
    let meanSquare = 0;
    for (let d = 0; d < dimensions; d++) meanSquare += (gradient[d] as number) ** 2 / dimensions;
    for (let k = 0; k < count; k++) {
      const id = this.#kept[k] as number;
      // The scale enlarges the gradient and, through the squares, divides the step again. It is left out of both, which
      // lets a step count once by its scale when the row is read.
      const squares = (this.#squares[id] as number) + meanSquare * factor * factor;
      this.#squares[id] = squares;
      const rate = (learningRate * factor) / Math.sqrt(squares);
      for (let d = 0; d < dimensions; d++) {
        const at = id * dimensions + d;
        this.#embeddings[at] = (this.#embeddings[at] as number) - rate * (gradient[d] as number);
      }
    }
  }

  /** A copy of the present state, all decay caught up with and the feature scales multiplied in. */
  toModel(): BagModel {
    const { buckets, dimensions, classes, combiner, featureScales } = this.#settings;
    const embeddings = new Float32Array(buckets * dimensions);
    for (let id = 1; id < buckets; id++) {
      this.#decayRow(id);
      for (let at = id * dimensions; at < (id + 1) * dimensions; at++) {
        embeddings[at] = (this.#embeddings[at] as number) * (featureScales[id] as number);
      }
    }
    const projection = this.#projection.slice();
    return {
      buckets,
      dimensions,
      classes,
      combiner,
      embeddings,
      projection,
      bias: this.#bias.slice(),
    };
  }
}

function moveValue(
  values: Float32Array,
  squares: Float32Array,
  slot: number,
  gradient: number,
  learningRate: number,
): void {
  const square = (squares[slot] as number) + gradient * gradient;
  squares[slot] = square;
  values[slot] = (values[slot] as number) - (learningRate * gradient) / Math.sqrt(square);
}

/** −½ and +½ for two labels over one dimension, the identity otherwise. */
function createFixedProjection(dimensions: number, classes: number): Float32Array {
  if (dimensions === 1) return Float32Array.from(PAIR_PROJECTION);
  return Float32Array.from({ length: dimensions * classes }, (_, slot) =>
    Math.floor(slot / classes) === slot % classes ? 1 : 0,
  );
}

function createRandomProjection(dimensions: number, classes: number, random: Random): Float32Array {
  const spread = 2 / Math.sqrt(dimensions);
  return Float32Array.from({ length: dimensions * classes }, () => (random() - 0.5) * spread);
}
