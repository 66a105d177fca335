import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SeenRelease } from "../support/release-server.ts";
import { ReleaseServer } from "../support/release-server.ts";

const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));
const run = promisify(execFile);
const LIMIT = { timeout: 60_000 };

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
  await bench.addVersion("1.0.0", "1.1.0");
  await bench.addVersion("1.0.0", "1.2.0");
});
afterEach(() => bench.close());

type Restarted = SeenRelease & { readonly candidate: string; readonly plan: object };

/** Goes on until somebody says otherwise. */
const ENDLESS = { strategy: { kind: "blue_green", iterations: 1000 } };

const restart = (id: string, body: object) =>
  bench.ask<Restarted>(`/v1/releases/${id}/candidate`, body);

/** `sluice release …` against the server of this test. */
async function command(...words: string[]): Promise<string> {
  const asked = [MAIN, "release", ...words, "--url", bench.server.url];
  const { stdout } = await run(process.execPath, asked, { timeout: 20_000 });
  return stdout;
}

describe("another candidate", () => {
  test(
    "begins the release again: nobody gets the one before any more, and nobody's answer fails",
    LIMIT,
    async () => {
      await bench.start();
      const { id } = await bench.release();
      const calling = bench.callUntil(id);
      await expect.poll(async () => (await bench.find(id)).step, { timeout: 20_000 }).toBe(2);
      const again = await restart(id, { candidate: "1.2.0" });
      expect(again).toMatchObject({ id, candidate: "1.2.0", plan: { candidate: "1.2.0" } });
      const [ended, { statuses, versions }] = await calling;
      expect(ended.phase).toBe("succeeded");
      expect([...statuses.keys()]).toEqual([200]);
      const { events } = await bench.ask<{
        events: { action: string; candidate: string; weight: number }[];
      }>(`/v1/releases/${id}/history?limit=100`);
      const moves = events
        .filter(({ action }) => ["advance", "restart"].includes(action))
        .map(({ action, candidate, weight }) => `${action} ${candidate} ${weight}`);
      expect(moves.toReversed()).toEqual([
        ...["advance 1.1.0 30", "advance 1.1.0 60", "restart 1.2.0 0"],
        ...["advance 1.2.0 30", "advance 1.2.0 60"],
      ]);
      // Calls that were under way may have ended after the first of the new candidate.
      expect(versions.slice(versions.indexOf("1.2.0") + 20)).not.toContain("1.1.0");
      const answer = await (await bench.server.classify({ text: "good" })).json();
      expect(answer).toMatchObject({ model_version: "1.2.0" });
    },
  );

  test("is not judged by what was seen of the one before", LIMIT, async () => {
    await bench.addVersion("1.0.0", "1.3.0", { labels: ["positive", "negative"] });
    await bench.start();
    const { id } = await bench.release({ candidate: "1.3.0", max_consecutive_failures: 3 });
    const calling = bench.callUntil(id);
    const outcomes = async () => (await bench.find(id)).checks.map(({ outcome }) => outcome);
    await expect.poll(outcomes, { timeout: 20_000 }).toContain("fail");
    expect((await restart(id, { candidate: "1.1.0" })).checks).toEqual([]);
    const [ended] = await calling;
    expect(ended.phase).toBe("succeeded");
  });

  test("may be given to a release that waits for a person", LIMIT, async () => {
    await bench.start();
    const { id } = await bench.release(ENDLESS);
    await bench.waitFor(id, ["progressing"]);
    await bench.ask(`/v1/releases/${id}/pause`, {});
    const again = await restart(id, { candidate: "1.2.0" });
    expect(["initializing", "progressing"]).toContain(again.phase);
    expect(again).toMatchObject({ candidate: "1.2.0", weight: 0 });
  });

  test("is refused when it cannot go live", LIMIT, async () => {
    await bench.start();
    const { id } = await bench.release(ENDLESS);
    const refusal = async (body: object, of = id) => {
      const { error } = await bench.ask<{ error: { code: string; details?: { field: string }[] } }>(
        `/v1/releases/${of}/candidate`,
        body,
      );
      return [error.code, error.details?.[0]?.field];
    };
    expect(await refusal({})).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ candidate: 7 })).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ candidate: "1.2.0", model: "m" })).toEqual([
      "invalid_argument",
      "model",
    ]);
    expect(await refusal({ candidate: "9.9.9" })).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ candidate: "1.0.0" })).toEqual(["invalid_argument", "candidate"]);
    expect((await refusal({ candidate: "1.2.0" }, "rel_nobody"))[0]).toBe("not_found");
    await bench.ask(`/v1/releases/${id}/rollback`, {});
    await bench.waitFor(id);
    expect((await refusal({ candidate: "1.2.0" }))[0]).toBe("conflict");
  });

  test("is refused to keys that may only look", LIMIT, async () => {
    await bench.start({ "releases.operators": '["somebody"]' });
    const answer = await bench.ask<{ error: { code: string } }>("/v1/releases/rel_1/candidate", {
      candidate: "1.2.0",
    });
    expect(answer.error.code).toBe("permission_denied");
  });
});

describe("by commands", () => {
  test("an A/B release is started, and begun again with another candidate", LIMIT, async () => {
    await bench.start();
    const started = await command(
      ...["start", "text-classification", "1.1.0", "--strategy", "ab"],
      ...["--match", "header:X-Team=blue", "--match", "cookie:group=b", "--interval", "60000"],
    );
    expect(started).toContain("1.0.0 → 1.1.0");
    const { plan } = JSON.parse(await command("status", "--json"));
    expect(plan.strategy).toMatchObject({
      kind: "ab",
      matches: [
        { source: "header", name: "X-Team", value: "blue", test: "exact" },
        { source: "cookie", name: "group", value: "b", test: "exact" },
      ],
    });
    const versionOf = async (headers: Record<string, string>) => {
      const response = await bench.server.classify({ text: `${Math.random()}` }, headers);
      return ((await response.json()) as { model_version: string }).model_version;
    };
    await expect.poll(() => versionOf({ "x-team": "blue" })).toBe("1.1.0");
    expect(await versionOf({ cookie: "group=b" })).toBe("1.1.0");
    expect(await versionOf({ cookie: "group=a" })).toBe("1.0.0");
    expect(await command("restart", "1.2.0")).toContain("1.0.0 → 1.2.0");
    await expect.poll(() => versionOf({ "x-team": "blue" })).toBe("1.2.0");
    expect(await versionOf({})).toBe("1.0.0");
    await expect(command("restart", "9.9.9")).rejects.toThrow(/no version of text-classification/);
  });

  test(
    "a way to recognise requests that is none is refused before anybody is asked",
    LIMIT,
    async () => {
      await bench.start();
      const asked = command("start", "text-classification", "1.1.0", "--match", "X-Team");
      await expect(asked).rejects.toThrow(/Expected header:<name>=<value>/);
      expect(await bench.ask("/v1/releases")).toEqual({ releases: [], next: null });
    },
  );
});
