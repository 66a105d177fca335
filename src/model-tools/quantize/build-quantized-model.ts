import { SluiceError } from "../../core/errors.ts";
import { readOnnx } from "../onnx/read-onnx.ts";
import type { CalibrationMethod } from "./activation-range.ts";
import type { AffineScale } from "./affine-scale.ts";
import type { Calibration } from "./calibration.ts";
import type { Divisors } from "./calibration-statistics.ts";
import { correctBias } from "./correct-bias.ts";
import type { LinearLayer } from "./linear-layers.ts";
import { findLinearLayers } from "./linear-layers.ts";
import { quantizeGraph } from "./quantize-graph.ts";
import { quantizeWeights } from "./quantize-weights.ts";
import type { QuantizedForm, QuantizedInput, QuantizedLayer } from "./quantized-layer.ts";
import { multiplyRows } from "./smoothing-divisors.ts";

/** Everything that decides what a quantized model looks like. */
export interface QuantizationRecipe {
  /** How constant activation scales are chosen; `dynamic`: from every batch anew. */
  readonly method: CalibrationMethod | "dynamic";
  /** Whether channels are divided before they are rounded; see `smoothing-divisors.ts`. */
  readonly isSmoothed: boolean;
  readonly correctsBias: boolean;
  readonly form: QuantizedForm;
  /** Largest magnitude of a weight's byte. */
  readonly largestWeight: number;
  readonly quantizesEmbeddings: boolean;
  /**
   * Names of layers whose activations get sixteen bits; see `QuantizedLayer.isFine`. What reads the same input gets them
   * too. Default: none.
   */
  readonly fineLayers?: ReadonlySet<string>;
  /** Names of layers that stay as they are. */
  readonly floatLayers: ReadonlySet<string>;
}

/**
 * Makes a quantized model. The same model, calibration and recipe always give the same bytes.
 *
 * @param calibration of the same model; unused for a dynamic recipe without smoothing.
 */
export async function buildQuantizedModel(
  floatModel: Uint8Array,
  calibration: Calibration,
  recipe: QuantizationRecipe,
): Promise<Uint8Array> {
  const model = readOnnx(floatModel);
  const { graph } = model;
  if (graph === undefined) throw new SluiceError("invalid_argument", "The model holds no graph.");
  const layers = findLinearLayers(graph).filter(({ name }) => !recipe.floatLayers.has(name));
  const facts = await readFacts(calibration, recipe);
  const inputs = [...new Set(layers.map(({ input }) => input))].map((value) =>
    quantizeInput(
      value,
      layers.filter(({ input }) => input === value),
      recipe,
      facts,
    ),
  );
  const { form, quantizesEmbeddings } = recipe;
  return quantizeGraph(model, graph, { inputs, form, quantizesEmbeddings });
}

/** What a recipe needs to know of the calibration texts. */
interface CalibrationFacts {
  readonly divisors: Divisors;
  /** Undefined for a dynamic recipe. */
  readonly scales: ReadonlyMap<string, AffineScale> | undefined;
  /** Of ranges that clip nothing, without smoothing: for fine layers. */
  readonly fullScales: ReadonlyMap<string, AffineScale> | undefined;
  /** Undefined unless biases are corrected. */
  readonly means:
    | {
        readonly float: ReadonlyMap<string, Float64Array>;
        readonly rounded: ReadonlyMap<string, Float64Array>;
      }
    | undefined;
}

async function readFacts(
  calibration: Calibration,
  { method, isSmoothed, correctsBias }: QuantizationRecipe,
): Promise<CalibrationFacts> {
  const nothing = { scales: undefined, fullScales: undefined, means: undefined };
  if (method === "dynamic" && !isSmoothed) return { divisors: new Map(), ...nothing };
  const { divisors, values } = await calibration.readStatistics(isSmoothed);
  if (method === "dynamic") return { divisors, ...nothing };
  const scales = await calibration.readScales({ method, isSmoothed });
  const fullScales = await calibration.readScales({ method: "min-max", isSmoothed: false });
  if (!correctsBias) return { divisors, scales, fullScales, means: undefined };
  const float = new Map([...values].map(([value, { channels }]) => [value, channels.means]));
  const rounded = await calibration.readRoundedMeans({ method, isSmoothed });
  return { divisors, scales, fullScales, means: { float, rounded } };
}

/** A fine input is not smoothed: sixteen bits have levels enough, and larger weights would only be rounded worse. */
function quantizeInput(
  value: string,
  readers: readonly LinearLayer[],
  recipe: QuantizationRecipe,
  { scales, fullScales, divisors, means }: CalibrationFacts,
): QuantizedInput {
  const isFine = readers.some(({ name }) => recipe.fineLayers?.has(name) === true);
  if (isFine) {
    const layers = readers.map((layer): QuantizedLayer => {
      const weights = quantizeWeights(layer.matrix, recipe.largestWeight);
      return { layer, weights, bias: layer.bias, isFine };
    });
    return { value, scale: fullScales?.get(value), divisors: undefined, layers };
  }
  const factors = divisors.get(value);
  const float = means?.float.get(value);
  const rounded = means?.rounded.get(value);
  const layers = readers.map((layer): QuantizedLayer => {
    const matrix = factors === undefined ? layer.matrix : multiplyRows(layer.matrix, factors);
    const weights = quantizeWeights(matrix, recipe.largestWeight);
    const bias =
      float === undefined || rounded === undefined
        ? layer.bias
        : correctBias(layer.bias, matrix, weights, float, rounded);
    return { layer, weights, bias, isFine };
  });
  return { value, scale: scales?.get(value), divisors: factors, layers };
}
