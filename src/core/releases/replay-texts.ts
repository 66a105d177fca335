import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import type { KeptText } from "../ports/evidence-store.ts";
import type { ReplicaObservation, StoredRelease } from "../ports/release-store.ts";
import { compareItems, observeItem } from "./answer-released.ts";
import { askVersion } from "./ask-versions.ts";
import { listComparisons } from "./compare-outputs.ts";
import { createObservationRecorder } from "./observation-recorder.ts";

/**
 * Under this name replayed texts are among what replicas have seen. It is the same whoever replays them and however often: a
 * replay takes the place of the one before it in its window, since the same texts say the same again and prove nothing new.
 */
const REPLAY = "replay";

/**
 * Asks both versions the same texts, and observes what they answer as if somebody had asked, so that a release is decided
 * about when hardly anybody does.
 *
 * @throws SluiceError as `askVersion`; nothing is known then
 */
export async function replayTexts(
  { plan, state }: StoredRelease,
  texts: readonly KeptText[],
  pipeline: InferencePipeline,
): Promise<ReplicaObservation> {
  const { model, stable, candidate, windowStartedAtMs } = state;
  const recorders = { stable: createObservationRecorder(), candidate: createObservationRecorder() };
  const ask = async (role: "stable" | "candidate") => {
    const version = state[role];
    const answers: ItemResult[] = [];
    const { manifest } = pipeline.registry.resolve(model, version);
    await askVersion({ model, version }, texts, pipeline, (items) => answers.push(...items));
    for (const item of answers) observeItem(item, manifest, recorders[role]);
    return answers;
  };
  const before = await ask("stable");
  const after = await ask("candidate");
  const released = { split: { stable, candidate, comparisons: listComparisons(plan) }, recorders };
  for (const [at, one] of before.entries()) compareItems(one, after[at], released);
  return {
    ...{ replica: REPLAY, windowStartedAtMs },
    stable: recorders.stable.read(),
    candidate: recorders.candidate.read(),
  };
}
