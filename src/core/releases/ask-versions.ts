import { SluiceError } from "../errors.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { runInference } from "../inference/run-inference.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { LabelledText } from "../ports/evidence-store.ts";
import type { GateCount } from "./observation.ts";

/** Texts that are asked at once: enough for a batch, too few to be in anybody's way. */
const TEXTS_AT_ONCE = 32;
const TIMEOUT_MS = 30_000;
/** How often a version that has no time is asked again, and after how long. */
const ATTEMPTS = 5;
const PAUSE_MS = 500;
/** All that releases ask by themselves is one caller, who waits for everybody else. */
export const RELEASE_FLOW = { id: "release", weight: 0.05 };

/** A text to ask, and nothing about who asked it first. */
export type TextToAsk = Pick<LabelledText, "text" | "pair">;

type Asker = Pick<InferencePipeline, "clock"> & InferencePipeline;

/**
 * Asks one version some texts in the bulk lane, a few at a time. Nothing of it is cached or counted.
 *
 * @param heard hears the answers of each part as they come, in order
 * @throws SluiceError `unavailable`, `overloaded` when it cannot be asked even after some attempts, and whatever else makes it
 * answer nothing at all
 */
export async function askVersion(
  { model, version }: { readonly model: string; readonly version: string },
  texts: readonly TextToAsk[],
  pipeline: Asker,
  heard: (items: readonly ItemResult[], first: number) => void,
): Promise<void> {
  for (let first = 0; first < texts.length; first += TEXTS_AT_ONCE) {
    const part = texts.slice(first, first + TEXTS_AT_ONCE);
    heard(await askPart({ model, version }, part, pipeline), first);
  }
}

async function askPart(
  { model, version }: { readonly model: string; readonly version: string },
  part: readonly TextToAsk[],
  pipeline: Asker,
): Promise<readonly ItemResult[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { items } = await runInference(
        {
          ...{ model, version, options: MODEL_DEFAULTS, isCopy: true },
          inputs: part.map(({ text, pair }) => ({ text, pair: pair ?? undefined })),
          deadlineMs: pipeline.clock.nowMs() + TIMEOUT_MS,
          ...{ cancellation: NEVER_CANCELLED, flow: RELEASE_FLOW, lane: "bulk" },
        },
        pipeline,
      );
      return items;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      // Every text of this part has an answer of its own kind: none.
      if (thrown.code === "invalid_argument" || thrown.code === "model_failed") {
        return part.map(() => ({ ok: false, error: thrown }));
      }
      if (thrown.code !== "overloaded" || attempt === ATTEMPTS) throw thrown;
      await new Promise<void>((resolve) => pipeline.clock.setTimer(PAUSE_MS * attempt, resolve));
    }
  }
}

/**
 * Asks one version a set of labelled texts. A text that it cannot answer is answered wrong.
 *
 * @throws SluiceError as `askVersion`
 */
export async function askGateSet(
  gateSet: string,
  texts: readonly LabelledText[],
  version: { readonly model: string; readonly version: string },
  pipeline: Asker,
): Promise<GateCount> {
  let right = 0;
  await askVersion(version, texts, pipeline, (items, first) => {
    for (const [at, item] of items.entries()) {
      if (!item.ok || item.prediction.kind === "vector") continue;
      if (item.prediction.labels[0]?.label === texts[first + at]?.label) right++;
    }
  });
  return { gateSet, right, total: texts.length };
}
