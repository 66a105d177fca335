import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ReleaseServer } from "../support/release-server.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODEL = "text-classification";
const SHADOW = { strategy: { kind: "shadow", share: 100, iterations: 3 }, mirror_share: 0 };

// What a release asks by itself is counted apart where it runs, too: a gateway tells its engines.
describe("copies of a gateway in front of an engine", { timeout: 60_000 }, () => {
  let bench: ReleaseServer;
  let engine: TestServer;

  beforeEach(async () => {
    bench = await ReleaseServer.create();
    await bench.addVersion("1.0.0", "1.1.0");
    engine = await startTestServer({
      "models.directory": `${bench.folder}/models`,
      "models.defaultVersions": `{"${MODEL}":"1.0.0"}`,
      ...{ role: "engine", "engine.port": "0" },
    });
  });
  afterEach(async () => {
    await bench.close();
    await engine.drain();
  });

  /** Lines of the engine's metrics of models, for a version and a part of the name. */
  async function countsOf(version: string, isCopy: boolean): Promise<readonly string[]> {
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    return metrics
      .split("\n")
      .filter((line) => /^ai_model_(?!loaded|queue_items)/.test(line))
      .filter((line) => /^ai_model_cop/.test(line) === isCopy)
      .filter((line) => line.includes(`:${version}"`) && !line.endsWith(" 0"));
  }

  async function countInferences(version: string): Promise<number> {
    const address = `${engine.url}/v2/models/${MODEL}/versions/${version}/stats`;
    const answer = (await (await fetch(address)).json()) as {
      model_stats: { inference_count: number }[];
    };
    return answer.model_stats[0]?.inference_count ?? Number.NaN;
  }

  test("are in no public metric and no statistic of the engine, and are counted by themselves", async () => {
    await bench.start({ role: "gateway", "engine.urls": JSON.stringify([engine.url]) });
    // The gateway tries each version when it takes it up, and measures what a run costs.
    const triedBefore = await countInferences("1.1.0");
    const before = await countsOf("1.1.0", false);
    const stableBefore = await countInferences("1.0.0");
    const { id } = await bench.release(SHADOW);
    const [, { statuses }] = await bench.callUntil(id, ["waiting_promotion"]);
    expect([...statuses.keys()]).toEqual([200]);
    expect(await countsOf("1.1.0", true)).toContainEqual(
      expect.stringMatching(/^ai_model_copies_total\{.*\} [1-9]\d+$/),
    );
    expect(await countsOf("1.0.0", true)).toEqual([]);
    expect(await countsOf("1.1.0", false)).toEqual(before);
    expect(await countInferences("1.1.0")).toBe(triedBefore);
    expect(await countInferences("1.0.0")).toBeGreaterThan(stableBefore + 50);
  });
});

test("a caller's own word that nobody asked is passed over", async () => {
  const server = await startTestServer({ "models.directory": "models" });
  try {
    const infer = () =>
      fetch(`${server.url}/v2/models/${MODEL}/infer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          parameters: { sluice_copy: true },
          inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: ["A good film."] }],
        }),
      });
    expect((await infer()).status).toBe(200);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^ai_model_predictions_total\{.*\} 1$/m);
    expect(metrics).not.toMatch(/^ai_model_copies_total\{.*\} [1-9]/m);
  } finally {
    await server.drain();
  }
});
