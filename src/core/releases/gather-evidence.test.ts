import { beforeEach, describe, expect, test } from "vitest";
import { MemoryReleaseStore } from "../../../test/support/memory-release-store.ts";
import { ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { createScriptedPipeline } from "../../../test/support/scripted-pipeline.ts";
import type { EvidenceStore, KeptText } from "../ports/evidence-store.ts";
import type { StoredRelease } from "../ports/release-store.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import { createEvidenceSources } from "./gather-evidence.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import { createReleaseState } from "./release-state.ts";

/** Says the opposite of the first version. */
class SwappingBackend extends ScriptedBackend {
  override async run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]> {
    return (await super.run(batch)).map((row) => row.toReversed());
  }
}

const TEXTS: readonly KeptText[] = ["3", "4", "5", "6"].map((text, at) => ({
  ...{ requestId: `r${at}`, item: 0, model: "m", version: "1.0.0", text, pair: null },
  ...{ label: "number", answeredAtMs: 0 },
}));

describe("a replay", () => {
  let scripted: ReturnType<typeof createScriptedPipeline>;
  let releases: MemoryReleaseStore;
  let warnings: string[];
  let release: StoredRelease;

  beforeEach(async () => {
    scripted = createScriptedPipeline();
    releases = new MemoryReleaseStore();
    warnings = [];
    const { clock, pace, addVersion } = scripted;
    addVersion("2.0.0", new SwappingBackend({ clock, runMs: () => pace.runMs }));
    release = await create("2.0.0");
  });

  async function create(candidate: string): Promise<StoredRelease> {
    const basics = { model: "m", candidate, hasLabels: true, gateSet: null };
    const names = { id: `rel_${candidate}`, model: "m", stable: "1.0.0", candidate };
    const plan = createPlan({ ...basics, strategy: DEFAULT_STRATEGY });
    const created = await releases.create(plan, createReleaseState(names, 7), []);
    if (created === undefined) throw new Error("The model has a release already.");
    return created;
  }

  /** As one process after the other would: each has its own sources. */
  async function replay(maxTexts: number): Promise<void> {
    const silent = () => {};
    const { replay: ask } = createEvidenceSources({
      pipeline: scripted.pipeline,
      store: {
        listTexts: async (_model: string, limit: number) => TEXTS.slice(0, limit),
      } as unknown as EvidenceStore,
      releases,
      metrics: undefined,
      logger: {
        ...{ debug: silent, info: silent, error: silent },
        warn: (message) => warnings.push(message),
      },
    });
    const asking = ask(release, maxTexts);
    await scripted.clock.advance(1000);
    await asking;
  }

  const seen = () => releases.readObservations(release.state.id, release.state.windowStartedAtMs);

  test("is observed as if callers had asked, by both versions", async () => {
    await replay(10);
    expect(await seen()).toMatchObject([
      {
        stable: { answered: 4, failures: [] },
        candidate: { answered: 4, agreement: { agreed: 0, disagreed: 4 } },
      },
    ]);
  });

  test("takes the place of the one before it: the same texts prove nothing new, whoever asks them again", async () => {
    await replay(3);
    await replay(10);
    await replay(10);
    expect(await seen()).toMatchObject([
      { stable: { answered: 4 }, candidate: { answered: 4, agreement: { disagreed: 4 } } },
    ]);
  });

  test("stands beside what replicas have seen", async () => {
    const { windowStartedAtMs, id } = release.state;
    await replay(10);
    const [{ stable, candidate } = never()] = await seen();
    await releases.observe(id, { replica: "a", windowStartedAtMs, stable, candidate });
    await replay(2);
    const rows = await seen();
    expect(rows.map((row) => [row.replica, row.stable.answered])).toEqual([
      ["a", 4],
      ["replay", 2],
    ]);
  });

  test("of a version that cannot be asked is not observed, and the log says why", async () => {
    releases = new MemoryReleaseStore();
    release = await create("3.0.0");
    await replay(10);
    expect(await seen()).toEqual([]);
    expect(warnings).toEqual(["Not known for a release: what both versions say about kept texts."]);
  });
});

function never(): never {
  throw new Error("Nothing was observed.");
}
