import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { ChoiceService } from "../core/models/choice-service.ts";
import { createChoiceService } from "../core/models/choice-service.ts";
import type { Logger } from "../core/ports/logger.ts";
import { startChoiceFollower } from "../workers/choice-follower.ts";
import { Lazy } from "./lazy.ts";
import type { RecordsPart } from "./records-part.ts";

/** The part of the composition root that knows which versions people chose. */

export interface ChoicesPart {
  readonly service: ChoiceService;
  /** Goes by what was chosen before. Called once models are loaded, and before anybody is answered. Never rejects. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ChoiceSurroundings {
  readonly pipeline: InferencePipeline;
  readonly records: RecordsPart;
  readonly logger: Logger;
}

/** @returns undefined where others decide which version answers: engines answer for the one that they are asked */
export function createChoicesPart(
  config: Config,
  { pipeline, records, logger }: ChoiceSurroundings,
): ChoicesPart | undefined {
  if (config.role === "engine" || config.role === "worker") return undefined;
  const { clock, registry, releases } = pipeline;
  const opened = new Lazy(async () => {
    const { createChoiceStore } = await import("../stores/records/choice-store.ts");
    const store = createChoiceStore(await records.open());
    const { pollMs } = config.releases;
    const follower = startChoiceFollower({ store, registry, clock, logger, pollMs });
    await follower.look();
    return { store, follower, close: follower.stop };
  });
  const open = async () => {
    try {
      await opened.get();
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      logger.warn("Pins and labels are unknown until their store can be opened.", { reason });
    }
  };
  let stopWaiting = () => {};
  return {
    service: createChoiceService({
      registry,
      store: async () => (await opened.get()).store,
      epochMs: () => clock.epochMs(),
      isReleased: (model) => releases.find(model)?.split.isOver === false,
      changed: async () => (await opened.get()).follower.look(),
    }),
    start: async () => {
      if (records.isUntouched()) stopWaiting = records.onTouched(() => void open());
      else await open();
    },
    stop: async () => {
      stopWaiting();
      await opened.close();
    },
  };
}
