import type { QuantizationRecipe } from "./build-quantized-model.ts";
import type { GateMeasurement } from "./decide-publication.ts";
import type { GatedModel } from "./pass-gate.ts";
import type { QuantizationReport, ReportedRecipe } from "./quantization-report.ts";
import { REPORT_SCHEMA } from "./quantization-report.ts";
import { FULL_RANGE } from "./quantize-weights.ts";
import type { RecipeTrial } from "./try-recipes.ts";

/** What a report is made of, beside the model itself. */
export interface ReportFacts
  extends Pick<QuantizationReport, "answer" | "texts" | "batchIndependence" | "speed" | "host"> {
  readonly trials: readonly RecipeTrial[];
  readonly gated: GatedModel;
  readonly maxLossPoints: number;
  readonly floatBytes: number;
  /** Layers that could be quantized. */
  readonly layerCount: number;
}

/** Puts everything that was measured into the form that is written and shown. */
export function createQuantizationReport(facts: ReportFacts): QuantizationReport {
  const { gated, trials, answer, texts, batchIndependence, speed, host } = facts;
  const { recipe, model, measurements, decision } = gated;
  return {
    schema: REPORT_SCHEMA,
    answer,
    recipe: {
      ...toReported(recipe),
      form: recipe.method === "dynamic" ? "dynamic" : recipe.form,
      largestWeight: recipe.largestWeight,
      embeddings: recipe.quantizesEmbeddings ? "int8" : "float32",
      quantizedLayers: facts.layerCount - recipe.floatLayers.size,
      fineLayers: [...(recipe.fineLayers ?? [])],
      floatLayers: [...recipe.floatLayers],
    },
    texts,
    trials: trials.map(({ recipe: tried, agreement, meanDrift, maxDrift }) => ({
      ...toReported(tried),
      agreement,
      meanDrift,
      maxDrift,
    })),
    gate: measurements,
    decision: { ...decision, maxLossPoints: facts.maxLossPoints },
    batchIndependence,
    bytes: { float: facts.floatBytes, quantized: model.length },
    speed,
    host,
    warnings: findWarnings(recipe, measurements, batchIndependence.quantized.changed),
  };
}

function findWarnings(
  recipe: QuantizationRecipe,
  measurements: readonly GateMeasurement[],
  changedByBatches: number,
): string[] {
  const warnings: string[] = [];
  if (recipe.method === "dynamic") {
    warnings.push("With dynamic scales an answer depends on the other texts of its batch.");
  } else if (changedByBatches > 0) {
    warnings.push(
      `On this processor a batch changes the answers to ${changedByBatches} of the texts.`,
    );
  }
  if (measurements.some(({ accuracy }) => accuracy === undefined)) {
    warnings.push("Without labels only the agreement with the float model and the drift count.");
  }
  if (recipe.largestWeight === FULL_RANGE) {
    warnings.push(
      "On x86 processors with AVX2 but without VNNI sums may overflow and answers differ; quantize with " +
        "--reduce-range for those.",
    );
  }
  return warnings;
}

function toReported({ method, isSmoothed, correctsBias }: QuantizationRecipe): ReportedRecipe {
  return { method, smoothing: isSmoothed, biasCorrection: correctsBias };
}
