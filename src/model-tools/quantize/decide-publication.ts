/** What a set of texts says about the float and the quantized model. Shares are 0 … 1. */
export interface GateMeasurement {
  /** Name of the data, for messages. */
  readonly name: string;
  readonly texts: number;
  /** Without labels: undefined. */
  readonly accuracy?: { readonly float: number; readonly quantized: number } | undefined;
  readonly balancedAccuracy?: { readonly float: number; readonly quantized: number } | undefined;
  /** With the float model's labels; undefined for features. */
  readonly agreement: number | undefined;
  readonly meanDrift: number;
  readonly maxDrift: number;
}

/** Whether a quantized model may be published. */
export interface PublicationDecision {
  readonly isAllowed: boolean;
  /** Points (hundredths) lost on the data set where most is lost; negative when something was won. */
  readonly lossPoints: number;
  /** One sentence with the figure that decided. */
  readonly reason: string;
}

/**
 * Allows a quantized model when it loses at most `maxLossPoints` on every data set. What counts as loss: with labels the
 * larger of the losses of accuracy and balanced accuracy; without, the texts that get another label; for features, how
 * far the mean cosine similarity is below 1.
 */
export function decidePublication(
  measurements: readonly GateMeasurement[],
  maxLossPoints: number,
): PublicationDecision {
  const losses = measurements.map(findLoss);
  const worst = losses.reduce<Loss | undefined>(
    (most, loss) => (most === undefined || loss.points > most.points ? loss : most),
    undefined,
  );
  if (worst === undefined) {
    return { isAllowed: false, lossPoints: Number.NaN, reason: "Nothing was measured." };
  }
  const { points, what } = worst;
  // A difference of two shares may be off in the last bit.
  const isAllowed = points <= maxLossPoints + 1e-9;
  return {
    isAllowed,
    lossPoints: points,
    reason: isAllowed
      ? `${describeLoss(worst)}, within the ${maxLossPoints} allowed.`
      : `It loses ${points.toFixed(2)} points of ${what}, more than the ${maxLossPoints} allowed.`,
  };
}

function describeLoss({ points, what }: Loss): string {
  if (points > 0) return `It loses ${points.toFixed(2)} points of ${what}`;
  const amount = points < 0 ? `wins ${(-points).toFixed(2)} points of` : "keeps all";
  return `It loses nothing: it ${amount} ${what}`;
}

interface Loss {
  readonly points: number;
  readonly what: string;
}

function findLoss(measured: GateMeasurement): Loss {
  const { name, accuracy, balancedAccuracy, agreement, meanDrift } = measured;
  const where = `on ${name} (${measured.texts} texts)`;
  if (accuracy === undefined) {
    return agreement === undefined
      ? { points: 100 * meanDrift, what: `similarity to the float model ${where}` }
      : { points: 100 * (1 - agreement), what: `agreement with the float model ${where}` };
  }
  const plain = 100 * (accuracy.float - accuracy.quantized);
  const balanced =
    balancedAccuracy === undefined
      ? Number.NEGATIVE_INFINITY
      : 100 * (balancedAccuracy.float - balancedAccuracy.quantized);
  return balanced > plain
    ? { points: balanced, what: `balanced accuracy ${where}` }
    : { points: plain, what: `accuracy ${where}` };
}
