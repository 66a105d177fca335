import type { QuantizationRecipe } from "./build-quantized-model.ts";
import { buildQuantizedModel } from "./build-quantized-model.ts";
import type { GateMeasurement, PublicationDecision } from "./decide-publication.ts";
import { decidePublication } from "./decide-publication.ts";
import type { PreparedGateSet } from "./gate.ts";
import { measureGateSets } from "./gate.ts";
import { openModelSession } from "./model-session.ts";
import type { TestBench } from "./try-recipes.ts";
import { rankLayers } from "./try-recipes.ts";

/** A model that was held against the gate. */
export interface GatedModel {
  readonly recipe: QuantizationRecipe;
  readonly model: Uint8Array;
  readonly measurements: readonly GateMeasurement[];
  readonly decision: PublicationDecision;
}

export interface PassGateOptions {
  readonly bench: TestBench;
  readonly sets: readonly PreparedGateSet[];
  /** All layers that can be quantized. */
  readonly layerNames: readonly string[];
  readonly maxLossPoints: number;
  readonly onProgress: (step: string) => void;
}

/** What is spent on the most sensitive layers, as shares of all, from one attempt to the next. */
const ATTEMPTS = [
  { fine: 0.05, float: 0 },
  { fine: 0.1, float: 0 },
  { fine: 0.2, float: 0 },
  { fine: 1 / 3, float: 0 },
  { fine: 1 / 3, float: 0.1 },
  { fine: 1 / 3, float: 1 / 3 },
] as const;
/** Texts on which layers are compared. */
const RANKING_TEXTS = 64;

/**
 * Measures a recipe's model on the gate sets. When it loses too much, the most sensitive layers get activations of sixteen
 * bits, which costs each a second product but no bytes; when that is not enough for a third of them, the most sensitive
 * stay in float, up to a third.
 *
 * @returns the first model that passes; if none does, the one that loses least.
 */
export async function passGate(
  recipe: QuantizationRecipe,
  options: PassGateOptions,
): Promise<GatedModel> {
  const { bench, layerNames, onProgress } = options;
  onProgress("measuring on the gate texts");
  let best = await measureRecipe(recipe, options);
  // Dynamic scales come from the batch: a second step would need its own, and nothing of it would be constant.
  const attempts = ATTEMPTS.filter(({ float }) => recipe.method !== "dynamic" || float > 0);
  if (best.decision.isAllowed) return best;
  onProgress(`${best.decision.reason} Looking for the most sensitive layers`);
  const ranked = (await rankLayers(toSmallBench(bench), recipe, layerNames)).map(
    ({ name }) => name,
  );
  const toCount = (share: number) => Math.ceil(share * ranked.length);
  for (const attempt of attempts) {
    const floatCount = toCount(attempt.float);
    const fineCount = recipe.method === "dynamic" ? 0 : toCount(attempt.fine);
    const floatLayers = new Set(ranked.slice(0, floatCount));
    const fineLayers = new Set(ranked.slice(floatCount, fineCount));
    onProgress(
      `measuring with 16-bit activations for ${fineLayers.size} and float for ${floatLayers.size} of ${ranked.length} layers`,
    );
    const candidate = await measureRecipe({ ...recipe, fineLayers, floatLayers }, options);
    if (candidate.decision.lossPoints < best.decision.lossPoints) best = candidate;
    if (best.decision.isAllowed) break;
  }
  return best;
}

function toSmallBench(bench: TestBench): TestBench {
  return {
    ...bench,
    texts: bench.texts.slice(0, RANKING_TEXTS),
    reference: bench.reference.slice(0, RANKING_TEXTS),
  };
}

async function measureRecipe(
  recipe: QuantizationRecipe,
  { bench, sets, maxLossPoints }: PassGateOptions,
): Promise<GatedModel> {
  const model = await buildQuantizedModel(bench.floatModel, bench.calibration, recipe);
  const session = await openModelSession(model, bench.session);
  try {
    const isAlone = recipe.method === "dynamic";
    const measurements = await measureGateSets(session, bench.form, sets, isAlone);
    const decision = decidePublication(measurements, maxLossPoints);
    return { recipe, model, measurements, decision };
  } finally {
    await session.close();
  }
}
