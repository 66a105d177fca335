import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import type { KeptText } from "../ports/evidence-store.ts";
import type { StoredRelease } from "../ports/release-store.ts";
import { compareItems, observeItem } from "./answer-released.ts";
import { askVersion } from "./ask-versions.ts";

/**
 * Asks both versions the same texts, and observes what they answer as if somebody had asked, so that a release is decided
 * about when hardly anybody does. Nothing is observed unless both versions could be asked everything.
 *
 * @throws SluiceError as `askVersion`
 */
export async function replayTexts(
  { state }: StoredRelease,
  texts: readonly KeptText[],
  pipeline: InferencePipeline,
): Promise<void> {
  const { model, stable, candidate, windowStartedAtMs } = state;
  const ask = async (version: string) => {
    const answers: ItemResult[] = [];
    const { manifest } = pipeline.registry.resolve(model, version);
    await askVersion({ model, version }, texts, pipeline, (items) => answers.push(...items));
    return { manifest, answers };
  };
  const before = await ask(stable);
  const after = await ask(candidate);
  const released = pipeline.releases.find(model);
  // Another window has begun, or this process does not route by this one yet: its counts are about something else.
  if (released?.split.windowStartedAtMs !== windowStartedAtMs) return;
  const { recorders } = released;
  for (const item of before.answers) observeItem(item, before.manifest, recorders.stable);
  for (const item of after.answers) observeItem(item, after.manifest, recorders.candidate);
  for (const [at, one] of before.answers.entries()) {
    compareItems(one, after.answers[at], released);
  }
}
