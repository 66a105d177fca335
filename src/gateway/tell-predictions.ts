import type { ItemResult } from "../core/inference/result.ts";
import type { Call } from "./call.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Tells of the answers of one request, or of some of them; texts that failed are passed over. */
export type TellPredictions = (
  call: Pick<Call, "id">,
  model: string,
  items: readonly ItemResult[],
) => void;

/** @param log undefined where nobody wants to know; then nothing is done per answer */
export function createPredictionTeller(log: GatewayOptions["logPrediction"]): TellPredictions {
  if (log === undefined) return () => {};
  return ({ id }, model, items) => {
    for (const item of items) {
      if (!item.ok) continue;
      const { version, prediction, durationMs } = item;
      const best = prediction.kind === "labels" ? prediction.labels[0] : undefined;
      log({
        model,
        version,
        request_id: id,
        label: best?.label ?? null,
        confidence: best?.score ?? null,
        duration_ms: durationMs,
      });
    }
  };
}
