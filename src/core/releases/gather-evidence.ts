import { toSluiceError } from "../errors.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { MetricsSource } from "../ports/metrics-source.ts";
import type { ReleaseStore, StoredRelease } from "../ports/release-store.ts";
import { askGateSet } from "./ask-versions.ts";
import type { GateCount } from "./observation.ts";
import type { EvidenceSources, ExtraEvidence, VersionEvidence } from "./release-evidence.ts";
import { NO_EVIDENCE } from "./release-evidence.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { replayTexts } from "./replay-texts.ts";

export interface GatherOptions {
  readonly pipeline: InferencePipeline;
  readonly store: EvidenceStore;
  /** Undefined where there is none; then no plan has queries. */
  readonly metrics: MetricsSource | undefined;
  readonly logger: Logger;
  /** Where observations are kept. */
  readonly releases: Pick<ReleaseStore, "observe">;
}

/** Answers of gate sets that are remembered: the same version says the same about the same set. */
const MAX_GATES = 64;

/** Evidence from the store of texts and feedback, from a server of metrics, and by asking both versions. */
export function createEvidenceSources(options: GatherOptions): EvidenceSources {
  const { pipeline, store, logger, releases } = options;
  const askGate = rememberGates(options);
  /** What cannot be had says nothing; the reason is for the log. */
  const orElse = async <T>(
    release: StoredRelease,
    what: string,
    asked: Promise<T>,
    otherwise: T,
  ) => {
    try {
      return await asked;
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      logger.warn(`Not known for a release: ${what}.`, { release: release.state.id, reason });
      return otherwise;
    }
  };
  return {
    gather: async (release) => {
      const { plan, state } = release;
      const names = listGateSets(plan);
      const { model } = state;
      const readVersion = async (version: string, feedback: VersionEvidence["feedback"]) => {
        const asked = names.map((name) =>
          orElse(
            release,
            `what ${version} says about ${name}`,
            askGate(model, version, name),
            null,
          ),
        );
        const gates = (await Promise.all(asked)).filter((gate) => gate !== null);
        return { gates, feedback };
      };
      const [counts, queries] = await Promise.all([
        orElse(release, "feedback", readFeedback(release, store), NO_EVIDENCE),
        askQueries(release, options),
      ]);
      // One after the other: both at once would take twice as long each.
      const candidate = await readVersion(state.candidate, counts.candidate.feedback);
      const stable = await readVersion(state.stable, counts.stable.feedback);
      return { stable, candidate, queries };
    },
    canReplay: (release) => {
      const asked = store.listTexts(release.state.model, 1).then((texts) => texts.length > 0);
      return orElse(release, "whether texts are kept", asked, false);
    },
    replay: (release, maxTexts) => {
      const replayed = async () => {
        const texts = await store.listTexts(release.state.model, maxTexts);
        await releases.observe(release.state.id, await replayTexts(release, texts, pipeline));
      };
      return orElse(release, "what both versions say about kept texts", replayed(), undefined);
    },
  };
}

/** Asks a version a set once, however often the release is looked at. A set that was replaced is asked anew. */
function rememberGates({ pipeline, store }: GatherOptions) {
  const known = new Map<string, Promise<GateCount | null>>();
  return async (model: string, version: string, name: string): Promise<GateCount | null> => {
    const set = await store.findGateSet(name);
    if (set === undefined) return null;
    const { digest } = pipeline.registry.resolve(model, version);
    const key = JSON.stringify([model, version, digest, name, set.updatedAtMs]);
    const before = known.get(key);
    if (before !== undefined) return await before;
    const asking = (async () => {
      const texts = await store.readGateSet(name);
      return texts === undefined
        ? null
        : await askGateSet(name, texts, { model, version }, pipeline);
    })();
    known.set(key, asking);
    if (known.size > MAX_GATES) known.delete(known.keys().next().value ?? "");
    // What failed may succeed the next time.
    asking.catch(() => known.delete(key));
    return await asking;
  };
}

/** Names of the sets that the plan's metrics want, each once. */
function listGateSets({ metrics }: ReleasePlan): readonly string[] {
  const names = metrics.flatMap((metric) =>
    metric.kind === "gate_accuracy" ? [metric.gateSet] : [],
  );
  return [...new Set(names)];
}

async function readFeedback(
  { plan, state }: StoredRelease,
  store: EvidenceStore,
): Promise<Pick<ExtraEvidence, "stable" | "candidate">> {
  if (!plan.metrics.some(({ kind }) => kind === "feedback_accuracy")) return NO_EVIDENCE;
  const range = { model: state.model, sinceMs: state.windowStartedAtMs };
  const counts = await store.countFeedback(range);
  const read = (wanted: string): VersionEvidence => {
    const found = counts.find(({ version }) => version === wanted);
    return { gates: [], feedback: { right: found?.right ?? 0, wrong: found?.wrong ?? 0 } };
  };
  return { stable: read(state.stable), candidate: read(state.candidate) };
}

async function askQueries(
  { plan, state }: StoredRelease,
  { metrics, logger }: GatherOptions,
): Promise<ReadonlyMap<string, number | null>> {
  const answers = new Map<string, number | null>();
  await Promise.all(
    plan.metrics.map(async (metric) => {
      if (metric.kind !== "query" || metrics === undefined) return;
      try {
        answers.set(metric.name, await metrics.ask(fillQuery(metric.query, plan, state)));
      } catch (thrown) {
        const { message: reason } = toSluiceError(thrown);
        logger.warn("A query of a release was not answered.", {
          ...{ release: state.id, metric: metric.name, reason },
        });
      }
    }),
  );
  return answers;
}

/** Puts the release's own names into a query: `{{model}}`, `{{stable}}`, `{{candidate}}`, and `{{interval}}` as `60s`. */
export function fillQuery(
  query: string,
  { intervalMs }: Pick<ReleasePlan, "intervalMs">,
  { model, stable, candidate }: StoredRelease["state"],
): string {
  const values: Readonly<Record<string, string>> = {
    ...{ model, stable, candidate },
    interval: `${Math.max(1, Math.ceil(intervalMs / 1000))}s`,
  };
  return query.replaceAll(
    /\{\{\s*(model|stable|candidate|interval)\s*\}\}/g,
    (_, name: string) => values[name] ?? "",
  );
}
