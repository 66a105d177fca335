import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QUICK_PLAN, ReleaseServer } from "../support/release-server.ts";

const MODEL = "text-classification";
const { candidate: _, ...PLAN } = QUICK_PLAN;
/** A candidate that would never be found out by errors or latency. */
const SWAPPED = { labels: ["positive", "negative"] };

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
});
afterEach(() => bench.close());

interface Found {
  readonly id: string;
  readonly candidate: string;
  readonly phase: string;
  readonly weight: number;
}

const start = (flags: Readonly<Record<string, string>> = {}) =>
  bench.start({
    "models.newVersions": "release",
    "models.watchMs": "100",
    "models.defaultVersions": "{}",
    "releases.plans": JSON.stringify([PLAN]),
    ...flags,
  });
const list = async () => (await bench.ask<{ releases: Found[] }>("/v1/releases")).releases;
const waitForFirst = async (candidate: string) => {
  await expect.poll(async () => (await list())[0]?.candidate, { timeout: 15_000 }).toBe(candidate);
  return (await list())[0]?.id ?? "";
};
const answering = async () => {
  const answer = await bench.server.classify({ text: "A good film." });
  return ((await answer.json()) as { model_version: string }).model_version;
};

describe("a version that comes while the server runs", { timeout: 60_000 }, () => {
  test("is released by itself, by the plan of the configuration, and answers when it was good", async () => {
    await start();
    await bench.addVersion("1.0.0", "1.1.0");
    const id = await waitForFirst("1.1.0");
    expect(await bench.ask(`/v1/releases/${id}`)).toMatchObject({
      plan: { interval_ms: PLAN.interval_ms, min_samples: PLAN.min_samples },
    });
    expect(await answering()).toBe("1.0.0");
    const [ended, { statuses }] = await bench.callUntil(id);
    expect(ended.phase).toBe("succeeded");
    expect([...statuses.keys()]).toEqual([200]);
    expect(await answering()).toBe("1.1.0");
  });

  test("goes back by itself when it is bad, and does not try again after a restart", async () => {
    await start();
    await bench.addVersion("1.0.0", "1.1.0", SWAPPED);
    const id = await waitForFirst("1.1.0");
    const [ended] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "failed" });
    expect(await answering()).toBe("1.0.0");
    await bench.server.drain();
    await start();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await list()).toHaveLength(1);
    expect(await answering()).toBe("1.0.0");
  });

  test("takes the place of an older one whose release is under way", async () => {
    await start({ "releases.plans": JSON.stringify([{ ...PLAN, interval_ms: 600_000 }]) });
    await bench.addVersion("1.0.0", "1.1.0");
    const id = await waitForFirst("1.1.0");
    await bench.waitFor(id, ["progressing"]);
    await bench.addVersion("1.0.0", "1.2.0");
    expect(await waitForFirst("1.2.0")).toBe(id);
    await bench.addVersion("1.0.0", "1.0.5");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await list()).toMatchObject([{ id, candidate: "1.2.0" }]);
  });

  test("with other labels is not released, and the reason is logged", async () => {
    await start();
    await bench.addVersion("1.0.0", "2.0.0", { labels: ["bad", "good"] });
    const isWarned = () =>
      bench.server.log.some(({ fields }) => String(fields?.["reason"]).includes("other labels"));
    await expect.poll(isWarned, { timeout: 15_000 }).toBe(true);
    expect(await list()).toEqual([]);
    expect(await answering()).toBe("1.0.0");
  });
});

test("a plan of the configuration says what a caller leaves out", { timeout: 60_000 }, async () => {
  await bench.addVersion("1.0.0", "1.1.0");
  await start({
    "models.defaultVersions": `{"${MODEL}":"1.0.0"}`,
    "releases.plans": JSON.stringify([{ ...PLAN, interval_ms: 77_000, max_failures: 9 }]),
  });
  const started = await bench.ask("/v1/releases", {
    ...{ model: MODEL, candidate: "1.1.0", max_failures: 4 },
  });
  expect(started).toMatchObject({ plan: { interval_ms: 77_000, max_failures: 4 } });
});

test.each([
  [{ strategy: { kind: "canary", step_weights: [50, 20] } }, /releases\.plans\[0\]\.strategy/],
  [{ interval: 5 }, /releases\.plans\[0\]\.interval/],
  [{ metrics: [{ name: "a", kind: "magic" }] }, /releases\.plans\[0\]\.metrics/],
  [
    { hooks: [{ name: "a", type: "rollout", url: "http://10.0.0.1/" }] },
    /releases\.plans\[0\]\.hooks/,
  ],
])("a plan that cannot work keeps the server from starting: %j", async (changes, problem) => {
  const plans = JSON.stringify([{ model: MODEL, ...changes }]);
  await expect(start({ "releases.plans": plans })).rejects.toThrow(problem);
});
