import type { ItemResult } from "../core/inference/result.ts";
import type { Call } from "./call.ts";
import type { AnsweredTexts, GatewayOptions } from "./gateway-options.ts";

/** Tells of the answers of one request, or of some of them. */
export type TellAnswers = (
  call: Pick<Call, "id">,
  answered: Omit<AnsweredTexts, "requestId">,
) => void;

/** Tells all who want to know of answers; where nobody does, nothing is done per answer. */
export function createAnswerTeller({
  logPrediction,
  feedback,
}: Pick<GatewayOptions, "logPrediction" | "feedback">): TellAnswers {
  return ({ id }, answered) => {
    feedback?.answered({ requestId: id, ...answered });
    if (logPrediction === undefined) return;
    for (const item of answered.items) logItem(item, { id, ...answered }, logPrediction);
  };
}

/** Texts that failed are passed over. */
function logItem(
  item: ItemResult,
  { id, model }: { readonly id: string; readonly model: string },
  log: NonNullable<GatewayOptions["logPrediction"]>,
): void {
  if (!item.ok) return;
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
