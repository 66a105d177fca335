import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import { AnswerMemory } from "../core/evidence/answer-memory.ts";
import { createFeedbackService } from "../core/evidence/feedback-service.ts";
import { createGateService } from "../core/evidence/gate-service.ts";
import { createTextSampler } from "../core/evidence/text-sampler.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { EvidenceStore } from "../core/ports/evidence-store.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { FeedbackOptions } from "../gateway/gateway-options.ts";
import type { RecordsPart } from "./records-part.ts";

/** The part of the composition root that keeps what tells how good versions are. */

export interface EvidencePart {
  /** For the gateway. */
  readonly options: FeedbackOptions;
  /** @throws SluiceError `unavailable` when the record database cannot be opened */
  openStore(): Promise<EvidenceStore>;
  /** Keeps what waits. */
  stop(): Promise<void>;
}

export interface EvidenceSurroundings {
  readonly pipeline: InferencePipeline;
  readonly records: RecordsPart;
  readonly logger: Logger;
  readonly metrics: {
    feedbackGiven(model: string, version: string, isRight: boolean): void;
  };
}

const DAY_MS = 86_400_000;

/** @returns undefined where nobody asks this process directly */
export function createEvidencePart(
  config: Config,
  { pipeline, records, logger, metrics }: EvidenceSurroundings,
): EvidencePart | undefined {
  if (config.role === "engine" || config.role === "worker") return undefined;
  const { clock, registry, graphs } = pipeline;
  const { rememberedRequests, sampleRate, keptTexts, keepDays, keys } = config.feedback;
  const memory = new AnswerMemory(rememberedRequests);
  const store = async () => {
    const { createEvidenceStore } = await import("../stores/records/evidence-store.ts");
    return createEvidenceStore(await records.open());
  };
  const sampler = createTextSampler({
    ...{ store, clock, share: sampleRate, perModel: keptTexts, random: Math.random },
    failed: (thrown) => {
      const { message: reason } = toSluiceError(thrown);
      logger.warn("Texts could not be kept.", { reason });
    },
  });
  const epochMs = () => clock.epochMs();
  return {
    options: {
      keys,
      service: createFeedbackService({
        ...{ store, memory, registry, graphs, epochMs, keepMs: keepDays * DAY_MS },
        flushTexts: sampler.flush,
        given: ({ model, version, predicted, label }) =>
          metrics.feedbackGiven(model, version, predicted === label),
      }),
      gates: createGateService({ store, registry, epochMs }),
      answered: (request) => {
        const { requestId, model, items, first } = request;
        const answeredAtMs = epochMs();
        memory.remember(requestId, model, items, { first, nowMs: answeredAtMs });
        if (sampleRate > 0) sampler.offer({ ...request, answeredAtMs });
      },
    },
    openStore: store,
    stop: sampler.flush,
  };
}
