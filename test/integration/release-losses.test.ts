import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ReleaseServer } from "../support/release-server.ts";

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
  await bench.addVersion("1.0.0", "1.1.0");
});
afterEach(() => bench.close());

const MODEL = "text-classification";
/** No check comes while a test runs: what happens, happens because a version has gone. */
const UNCHECKED = { interval_ms: 600_000, strategy: { kind: "canary", step_weights: [50] } };
const removePackage = (version: string) =>
  rm(join(bench.folder, "models", MODEL, version), { recursive: true });

describe("a candidate that goes away in the middle", () => {
  const start = () => bench.start({ "models.watchMs": "100", "models.control": "explicit" });

  async function loseBy(lose: () => Promise<unknown>): Promise<void> {
    await start();
    const { id } = await bench.release(UNCHECKED);
    const calling = bench.callUntil(id);
    await expect.poll(async () => (await bench.find(id)).weight, { timeout: 15_000 }).toBe(50);
    await expect
      .poll(async () => await (await bench.server.classify({ text: `${Math.random()}` })).json())
      .toMatchObject({ model_version: "1.1.0" });
    await lose();
    const [ended, { statuses, versions }] = await calling;
    expect(ended).toMatchObject({ phase: "failed", weight: 0 });
    expect(ended.reason).toContain("the candidate failed: it was unloaded");
    expect([...statuses.keys()]).toEqual([200]);
    expect(new Set(versions)).toEqual(new Set(["1.0.0", "1.1.0"]));
    expect(versions.at(-1)).toBe("1.0.0");
  }

  test(
    "since its package is removed costs nobody an answer, and the release goes back",
    {
      timeout: 60_000,
    },
    () => loseBy(() => removePackage("1.1.0")),
  );

  test(
    "since somebody unloads it costs nobody an answer, and the release goes back",
    {
      timeout: 60_000,
    },
    () => loseBy(() => bench.ask(`/models/${MODEL}/versions/1.1.0/unload`, {})),
  );

  test("when all requests are its own already goes on, though its package is gone", {
    timeout: 60_000,
  }, async () => {
    await start();
    const { id } = await bench.release(UNCHECKED);
    await bench.waitFor(id, ["progressing"]);
    await bench.ask(`/v1/releases/${id}/promote`, {});
    await removePackage("1.1.0");
    await expect
      .poll(() => bench.server.log.some(({ message }) => message.includes("is gone; it serves")), {
        timeout: 15_000,
      })
      .toBe(true);
    expect((await bench.find(id)).phase).toBe("promoting");
    const answer = await (await bench.server.classify({ text: "good" })).json();
    expect(answer).toMatchObject({ model_version: "1.1.0" });
  });
});
