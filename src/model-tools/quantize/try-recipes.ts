import type { CalibrationMethod } from "./activation-range.ts";
import type { QuantizationRecipe } from "./build-quantized-model.ts";
import { buildQuantizedModel } from "./build-quantized-model.ts";
import type { Calibration } from "./calibration.ts";
import type { AnswerComparison } from "./compare-answers.ts";
import { compareAnswers } from "./compare-answers.ts";
import type { AnswerForm } from "./model-answers.ts";
import { runTexts } from "./model-answers.ts";
import type { ModelSessionOptions } from "./model-session.ts";
import { openModelSession } from "./model-session.ts";

/** Where recipes are tried: a float model, what it says to some texts, and its calibration. */
export interface TestBench {
  readonly floatModel: Uint8Array;
  readonly calibration: Calibration;
  readonly form: AnswerForm;
  readonly texts: readonly Int32Array[];
  /** The float model's answers to `texts`. */
  readonly reference: readonly Float32Array[];
  readonly session: ModelSessionOptions;
}

/** A recipe and how well its model does. */
export interface RecipeTrial extends AnswerComparison {
  readonly recipe: QuantizationRecipe;
}

/** Builds the recipe's model and compares its answers with the float model's. */
export async function tryRecipe(
  bench: TestBench,
  recipe: QuantizationRecipe,
): Promise<RecipeTrial> {
  const model = await buildQuantizedModel(bench.floatModel, bench.calibration, recipe);
  const session = await openModelSession(model, bench.session);
  try {
    const isAlone = recipe.method === "dynamic";
    const answers = await runTexts(session, bench.form, bench.texts, isAlone);
    return { recipe, ...compareAnswers(bench.reference, answers, bench.form.kind) };
  } finally {
    await session.close();
  }
}

export type Choice = "off" | "on" | "auto";

/** What may be tried. */
export interface RecipeChoices {
  readonly methods: readonly (CalibrationMethod | "dynamic")[];
  /** Whether channels are divided: never, always, or where it helps. */
  readonly smoothing: Choice;
  /** Whether biases are corrected: never, always, or where it helps. */
  readonly biasCorrection: Choice;
}

const SMOOTHINGS: Readonly<Record<Choice, readonly boolean[]>> = {
  off: [false],
  on: [true],
  auto: [false, true],
};

/** Smoothing costs an operator per quantized value, so it must take this share of the drift away to be kept. */
const SMOOTHING_GAIN = 0.2;

/**
 * Tries the methods with and without smoothing, then bias correction on the best of them. Drift decides: it is what
 * makes labels change, and unlike their number it is no matter of chance on a few hundred texts.
 *
 * @returns all trials, the chosen one first.
 */
export async function chooseRecipe(
  bench: TestBench,
  base: QuantizationRecipe,
  choices: RecipeChoices,
  onTrial: (trial: RecipeTrial) => void,
): Promise<readonly [RecipeTrial, ...RecipeTrial[]]> {
  const trials: RecipeTrial[] = [];
  const attempt = async (change: Partial<QuantizationRecipe>) => {
    const trial = await tryRecipe(bench, { ...base, ...change });
    trials.push(trial);
    onTrial(trial);
  };
  const correctsBias = choices.biasCorrection === "on";
  for (const isSmoothed of SMOOTHINGS[choices.smoothing]) {
    for (const method of choices.methods) {
      // Without a constant scale there is no constant error to correct.
      await attempt({ method, isSmoothed, correctsBias: correctsBias && method !== "dynamic" });
    }
  }
  const { recipe } = pickTrial(trials);
  if (choices.biasCorrection === "auto" && recipe.method !== "dynamic") {
    await attempt({ ...recipe, correctsBias: true });
  }
  const chosen = pickTrial(trials);
  return [chosen, ...trials.filter((trial) => trial !== chosen)];
}

/** The trial with the least drift; a smoothed one only when it is clearly better than every other. */
export function pickTrial(trials: readonly RecipeTrial[]): RecipeTrial {
  const best = findLeastDrift(trials);
  const plain = trials.filter(({ recipe }) => !recipe.isSmoothed);
  if (plain.length === 0 || !best.recipe.isSmoothed) return best;
  const bestPlain = findLeastDrift(plain);
  return best.meanDrift <= (1 - SMOOTHING_GAIN) * bestPlain.meanDrift ? best : bestPlain;
}

function findLeastDrift(trials: readonly RecipeTrial[]): RecipeTrial {
  return trials.reduce((least, trial) => (trial.meanDrift < least.meanDrift ? trial : least));
}

/**
 * Orders layers by how much drift each causes when it alone is quantized, the worst first. Builds and runs one model per
 * layer.
 */
export async function rankLayers(
  bench: TestBench,
  recipe: QuantizationRecipe,
  layerNames: readonly string[],
): Promise<readonly { readonly name: string; readonly meanDrift: number }[]> {
  const ranked: { name: string; meanDrift: number }[] = [];
  for (const name of layerNames) {
    const floatLayers = new Set(layerNames.filter((other) => other !== name));
    const alone = { ...recipe, floatLayers, quantizesEmbeddings: false };
    const { meanDrift } = await tryRecipe(bench, alone);
    ranked.push({ name, meanDrift });
  }
  return ranked.sort((a, b) => b.meanDrift - a.meanDrift);
}
