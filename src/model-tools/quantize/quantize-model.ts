import { SluiceError } from "../../core/errors.ts";
import { readOnnx } from "../onnx/read-onnx.ts";
import type { QuantizationRecipe } from "./build-quantized-model.ts";
import { buildQuantizedModel } from "./build-quantized-model.ts";
import type { Calibration } from "./calibration.ts";
import { openCalibration } from "./calibration.ts";
import { checkBatchIndependence } from "./check-batch-independence.ts";
import { createQuantizationReport } from "./create-quantization-report.ts";
import { findEmbeddingTables } from "./embedding-tables.ts";
import type { GateSet } from "./gate.ts";
import { prepareGateSets } from "./gate.ts";
import { findLinearLayers } from "./linear-layers.ts";
import type { SpeedReport } from "./measure-speed.ts";
import { measureSpeed } from "./measure-speed.ts";
import type { AnswerForm } from "./model-answers.ts";
import { readAnswerForm, runTexts } from "./model-answers.ts";
import type { ModelSession, ModelSessionOptions } from "./model-session.ts";
import { openModelSession } from "./model-session.ts";
import { passGate } from "./pass-gate.ts";
import type { QuantizationReport } from "./quantization-report.ts";
import { FULL_RANGE, REDUCED_RANGE } from "./quantize-weights.ts";
import type { QuantizedForm } from "./quantized-layer.ts";
import type { RecipeChoices, RecipeTrial, TestBench } from "./try-recipes.ts";
import { chooseRecipe } from "./try-recipes.ts";

/** The texts, as ids. No text of a gate set may be among the others. */
export interface QuantizationTexts {
  readonly calibration: readonly Int32Array[];
  /** To choose among recipes; empty: the calibration texts serve for this too. */
  readonly selection: readonly Int32Array[];
  readonly gate: readonly GateSet[];
}

export interface QuantizeModelOptions extends RecipeChoices {
  readonly form: QuantizedForm;
  /** For the method `percentile`, in percent. */
  readonly percentile: number;
  /** Weights of seven bits, for processors with AVX2 but without VNNI. */
  readonly reducesRange: boolean;
  readonly quantizesEmbeddings: boolean;
  /** How many points may be lost; see `decidePublication`. */
  readonly maxLossPoints: number;
  readonly isMultiLabel: boolean;
  readonly maxTokens: number;
  readonly session: ModelSessionOptions;
  /** Times per shape; 0 measures no speed. */
  readonly speedRepetitions: number;
  readonly host: QuantizationReport["host"];
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Hears what is being done. */
  readonly onProgress: (step: string) => void;
}

/** A quantized model with all that was measured. `report.decision` says whether it may be published. */
export interface QuantizedModel {
  readonly model: Uint8Array;
  readonly report: QuantizationReport;
}

/**
 * Quantizes a model: calibrates, chooses a recipe, holds the result against the gate, and when it fails there, spends
 * more on the most sensitive layers (see `passGate`). Then checks that batches do not
 * change answers, and measures the speed of both, side by side.
 *
 * @param floatModel bytes of an ONNX file with its weights inside.
 * @throws SluiceError `invalid_argument` when the model has no linear layers to quantize or cannot be run.
 */
export async function quantizeModel(
  floatModel: Uint8Array,
  texts: QuantizationTexts,
  options: QuantizeModelOptions,
): Promise<QuantizedModel> {
  const graph = readOnnx(floatModel).graph;
  const layers = graph === undefined ? [] : findLinearLayers(graph);
  if (graph === undefined || layers.length === 0) {
    throw new SluiceError(
      "invalid_argument",
      "The model has no linear layers with constant float32 weights before its head, so there is nothing to quantize.",
    );
  }
  const { session, percentile } = options;
  const floatSession = await openModelSession(floatModel, session);
  const calibration = await openCalibration({
    ...session,
    model: floatModel,
    layers,
    texts: texts.calibration,
    percentile,
  });
  try {
    const form = await readAnswerForm(floatSession, options.isMultiLabel);
    const work: Work = {
      floatModel,
      floatSession,
      calibration,
      form,
      texts,
      options,
      layerNames: layers.map(({ name }) => name),
      hasEmbeddings: options.quantizesEmbeddings && findEmbeddingTables(graph).length > 0,
    };
    return await runQuantization(work);
  } finally {
    await calibration.close();
    await floatSession.close();
  }
}

/** What all steps need. */
interface Work {
  readonly floatModel: Uint8Array;
  readonly floatSession: ModelSession;
  readonly calibration: Calibration;
  readonly form: AnswerForm;
  readonly texts: QuantizationTexts;
  readonly options: QuantizeModelOptions;
  readonly layerNames: readonly string[];
  readonly hasEmbeddings: boolean;
}

async function runQuantization(work: Work): Promise<QuantizedModel> {
  const { options, floatSession, form, texts, layerNames } = work;
  const { maxLossPoints, onProgress } = options;
  const bench = await createTestBench(work);
  onProgress("trying recipes");
  const trials = await chooseRecipe(bench, createBaseRecipe(work), options, (trial) =>
    onProgress(describeTrial(trial)),
  );
  onProgress("asking the float model about the gate texts");
  const sets = await prepareGateSets(floatSession, form, texts.gate);
  const { recipe } = trials[0];
  const gated = await passGate(recipe, { bench, sets, layerNames, maxLossPoints, onProgress });
  const session = await openModelSession(gated.model, options.session);
  try {
    onProgress("checking batches");
    const some = texts.gate.flatMap((set) => set.texts.slice(0, BATCH_CHECK_TEXTS));
    const report = createQuantizationReport({
      answer: form.kind,
      texts: {
        calibration: texts.calibration.length,
        selection: bench.texts.length,
        isSelectionShared: texts.selection.length === 0,
      },
      trials,
      gated,
      maxLossPoints,
      floatBytes: work.floatModel.length,
      layerCount: layerNames.length,
      batchIndependence: {
        float: await checkBatchIndependence(floatSession, form, some),
        quantized: await checkBatchIndependence(session, form, some),
      },
      speed: await compareSpeed(work, gated.recipe, session),
      host: options.host,
    });
    return { model: gated.model, report };
  } finally {
    await session.close();
  }
}

function createBaseRecipe({ options, hasEmbeddings }: Work): QuantizationRecipe {
  return {
    method: "min-max",
    isSmoothed: false,
    correctsBias: false,
    form: options.form,
    largestWeight: options.reducesRange ? REDUCED_RANGE : FULL_RANGE,
    quantizesEmbeddings: hasEmbeddings,
    floatLayers: new Set(),
  };
}

/** Texts of each gate set that run alone and in batches. */
const BATCH_CHECK_TEXTS = 96;
/** Texts of all gate sets together whose throughput is timed. */
const TIMED_TEXTS = 512;

async function createTestBench(work: Work): Promise<TestBench> {
  const { floatModel, calibration, form, floatSession, options } = work;
  const { selection } = work.texts;
  const texts = selection.length === 0 ? work.texts.calibration : selection;
  const reference = await runTexts(floatSession, form, texts);
  return { floatModel, calibration, form, texts, reference, session: options.session };
}

/** Float, quantized, and the quantized model in its other form. */
async function compareSpeed(
  work: Work,
  recipe: QuantizationRecipe,
  session: ModelSession,
): Promise<QuantizationReport["speed"]> {
  const { options, floatSession, form, texts } = work;
  if (options.speedRepetitions === 0) return undefined;
  options.onProgress("measuring speed");
  const measure = (sessions: readonly ModelSession[]): Promise<SpeedReport> =>
    measureSpeed(sessions, form, toTimedTexts(texts), {
      repetitions: options.speedRepetitions,
      passes: 3,
      maxTokens: options.maxTokens,
      now: options.now,
    });
  if (recipe.method === "dynamic") {
    return { models: ["float32", "int8 dynamic"], ...(await measure([floatSession, session])) };
  }
  const otherForm = recipe.form === "fused" ? "portable" : "fused";
  const other = await buildQuantizedModel(work.floatModel, work.calibration, {
    ...recipe,
    form: otherForm,
  });
  const otherSession = await openModelSession(other, options.session);
  try {
    return {
      models: ["float32", `int8 ${recipe.form}`, `int8 ${otherForm}`],
      ...(await measure([floatSession, session, otherSession])),
    };
  } finally {
    await otherSession.close();
  }
}

/** The first texts of every gate set, as many of each. */
function toTimedTexts({ gate }: QuantizationTexts): Int32Array[] {
  const each = Math.ceil(TIMED_TEXTS / Math.max(gate.length, 1));
  return gate.flatMap((set) => set.texts.slice(0, each));
}

function describeTrial({ recipe, meanDrift }: RecipeTrial): string {
  const smoothed = recipe.isSmoothed ? ", smoothed" : "";
  const corrected = recipe.correctsBias ? ", biases corrected" : "";
  return `${recipe.method}${smoothed}${corrected}: mean drift ${meanDrift.toFixed(5)}`;
}
