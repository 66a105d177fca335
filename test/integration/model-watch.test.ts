import { cp, mkdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { POSITIVE_OPINIONS } from "../support/opinions.ts";
import { ReleaseServer } from "../support/release-server.ts";

const MODEL = "text-classification";
const WATCHED = {
  "models.watchMs": "100",
  "models.defaultVersions": "{}",
  "models.control": "explicit",
};

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
});
afterEach(() => bench.close());

interface Version {
  readonly version: string;
  readonly state: string;
  readonly is_default: boolean;
  readonly reason?: string;
  readonly notice?: string;
  readonly version_labels?: readonly string[];
}

const folderOf = (version: string) => join(bench.folder, "models", MODEL, version);

async function listVersions(): Promise<readonly Version[]> {
  const { models } = await bench.ask<{ models: readonly Version[] }>(`/models/${MODEL}`);
  return models;
}

const find = async (version: string) =>
  (await listVersions()).find((one) => one.version === version);

/** Waits until a version is in a state. */
async function waitFor(version: string, state: string | undefined): Promise<Version | undefined> {
  await expect.poll(async () => (await find(version))?.state, { timeout: 15_000 }).toBe(state);
  return find(version);
}

async function versionOf(text = "good"): Promise<string> {
  const answer = await bench.server.classify({ text });
  return ((await answer.json()) as { model_version: string }).model_version;
}

/** Callers who ask all the time, one after another each. */
function callSteadily(callers = 4) {
  const statuses = new Map<number, number>();
  const versions: string[][] = [];
  let isOver = false;
  const calls = Array.from({ length: callers }, async (_, caller) => {
    const own: string[] = [];
    versions.push(own);
    for (let at = 0; !isOver; at++) {
      const text = `${POSITIVE_OPINIONS[at % POSITIVE_OPINIONS.length]} ${caller} ${at}`;
      const response = await bench.server.classify({ text });
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const { model_version } = (await response.json()) as { model_version?: string };
      own.push(model_version ?? "none");
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(calls);
    return { statuses: [...statuses.keys()], versions };
  };
}

describe("a version that is put into the folder while the server runs", () => {
  test("is loaded beside the old one and takes its requests, and nobody notices", {
    timeout: 30_000,
  }, async () => {
    await bench.start(WATCHED);
    expect(await versionOf()).toBe("1.0.0");
    const end = callSteadily();
    await bench.addVersion("1.0.0", "1.1.0");
    await waitFor("1.1.0", "ready");
    await expect.poll(() => versionOf()).toBe("1.1.0");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { statuses, versions } = await end();
    expect(statuses).toEqual([200]);
    for (const own of versions) {
      expect(own.length).toBeGreaterThan(20);
      // Old ones first, new ones from a certain moment on, and never anything else.
      expect(own).toEqual(own.toSorted());
      expect(new Set(own)).toEqual(new Set(["1.0.0", "1.1.0"]));
    }
    await rm(folderOf("1.1.0"), { recursive: true });
    await waitFor("1.1.0", "unloaded");
    expect(await versionOf()).toBe("1.0.0");
    // It may come back.
    await bench.addVersion("1.0.0", "1.1.0");
    await waitFor("1.1.0", "ready");
  });

  test("is left alone while it is being copied", { timeout: 30_000 }, async () => {
    await bench.start(WATCHED);
    await bench.addVersion("1.0.0", "1.1.0");
    const path = join(folderOf("1.1.0"), "growing.bin");
    for (let size = 1; size <= 10; size++) {
      await writeFile(path, Buffer.alloc(size));
      expect(await find("1.1.0")).toBeUndefined();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await waitFor("1.1.0", "ready");
  });

  test("waits for a person where new ones are held", { timeout: 30_000 }, async () => {
    await bench.start({ ...WATCHED, "models.newVersions": "hold" });
    await bench.addVersion("1.0.0", "1.1.0");
    const held = await waitFor("1.1.0", "ready");
    expect(held?.notice).toBe(
      "1.0.0 goes on answering; pin it or start a release to have it answer.",
    );
    expect(await versionOf()).toBe("1.0.0");
    await bench.ask(`/models/${MODEL}/pin`, { version: "1.1.0" }, "PUT");
    expect(await versionOf()).toBe("1.1.0");
  });

  test("of a model that nobody knew yet is served", { timeout: 30_000 }, async () => {
    await bench.start(WATCHED);
    const path = join(bench.folder, "models/reviews");
    await cp(folderOf("1.0.0"), join(path, "1.0.0"), { recursive: true });
    const manifest = join(path, "1.0.0/manifest.json");
    const fields = JSON.parse(await readFile(manifest, "utf8"));
    await writeFile(manifest, JSON.stringify({ ...fields, name: "reviews" }));
    await expect
      .poll(async () => (await bench.server.classify({ text: "good", model: "reviews" })).status, {
        timeout: 10_000,
      })
      .toBe(200);
  });

  test("is still there as long as it is the only one", { timeout: 30_000 }, async () => {
    await bench.start(WATCHED);
    await rm(join(bench.folder, "models", MODEL), { recursive: true });
    await expect
      .poll(() => bench.server.log.some(({ message }) => message.includes("is gone; it serves")))
      .toBe(true);
    expect(await versionOf()).toBe("1.0.0");
    await rename(join(bench.folder, "models"), join(bench.folder, "elsewhere"));
    await expect
      .poll(() => bench.server.log.some(({ message }) => message.includes("cannot be seen")))
      .toBe(true);
    expect(await versionOf()).toBe("1.0.0");
    await mkdir(join(bench.folder, "models"));
  });
});

describe("a bad version", () => {
  const manifestOf = (version: string) => join(folderOf(version), "manifest.json");
  const edit = async (version: string, change: (manifest: Record<string, unknown>) => object) => {
    const manifest = JSON.parse(await readFile(manifestOf(version), "utf8"));
    await writeFile(manifestOf(version), JSON.stringify({ ...manifest, ...change(manifest) }));
  };

  test.each<[string, () => Promise<void>, RegExp]>([
    [
      "without its model",
      () => rm(join(folderOf("1.1.0"), "model.onnx")),
      /model\.onnx.*not there/,
    ],
    [
      "with half a model",
      () => truncate(join(folderOf("1.1.0"), "model.onnx"), 5000),
      /SHA-256|digest/i,
    ],
    [
      "with half a model, of which nobody has a digest",
      async () => {
        await truncate(join(folderOf("1.1.0"), "model.onnx"), 5000);
        const bytes = await readFile(join(folderOf("1.1.0"), "model.onnx"));
        const { createHash } = await import("node:crypto");
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        await edit("1.1.0", () => ({ model: { path: "model.onnx", sha256 } }));
      },
      /./,
    ],
    [
      "with another digest",
      () => edit("1.1.0", () => ({ model: { path: "model.onnx", sha256: "0".repeat(64) } })),
      /SHA-256|digest/i,
    ],
    [
      "with one label too many",
      () => edit("1.1.0", () => ({ labels: ["negative", "positive", "else"] })),
      /3|labels/,
    ],
    [
      "with inputs that the graph does not have",
      () => edit("1.1.0", () => ({ inputs: { ids: "no_such_input", lengths: "neither" } })),
      /./,
    ],
    ["with a manifest that is none", () => writeFile(manifestOf("1.1.0"), "{"), /manifest\.json/],
  ])(
    "%s fails with the reason, and costs nobody an answer",
    { timeout: 30_000 },
    async (_, spoil, reason) => {
      await bench.start(WATCHED);
      const end = callSteadily(2);
      // Away first: a look in between must not find it whole.
      await bench.addVersion("1.0.0", ".1.1.0");
      await rename(folderOf(".1.1.0"), join(bench.folder, "spoilt"));
      await cp(join(bench.folder, "spoilt"), folderOf("1.1.0"), { recursive: true });
      await edit("1.1.0", () => ({ version: "1.1.0" }));
      await spoil();
      const failed = await waitFor("1.1.0", "failed");
      expect(failed?.reason).toMatch(reason);
      expect(await versionOf()).toBe("1.0.0");
      const { statuses, versions } = await end();
      expect(statuses).toEqual([200]);
      expect(new Set(versions.flat())).toEqual(new Set(["1.0.0"]));
    },
  );

  test("is loaded once it is mended, and gone from the list once it is gone", {
    timeout: 30_000,
  }, async () => {
    await bench.start(WATCHED);
    await bench.addVersion("1.0.0", "1.1.0", { labels: ["one"] });
    await waitFor("1.1.0", "failed");
    const failures = () =>
      bench.server.log.filter(({ fields }) => fields?.["state"] === "failed").length;
    const before = failures();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(failures()).toBe(before);
    await edit("1.1.0", () => ({ labels: ["negative", "positive"] }));
    await waitFor("1.1.0", "ready");
    await bench.addVersion("1.0.0", "1.2.0", { labels: ["one"] });
    await waitFor("1.2.0", "failed");
    await rm(folderOf("1.2.0"), { recursive: true });
    await waitFor("1.2.0", undefined);
  });

  test("that has other labels does not take requests by itself", { timeout: 30_000 }, async () => {
    await bench.start(WATCHED);
    await bench.addVersion("1.0.0", "1.1.0", { labels: ["bad", "good"] });
    const held = await waitFor("1.1.0", "ready");
    expect(held?.notice).toBe(
      "It has other labels: without negative, positive, with bad, good, compared with 1.0.0; pin it or start a release to have it answer.",
    );
    expect(await versionOf()).toBe("1.0.0");
    const refused = await bench.ask<{ error: { details: object[] } }>("/v1/releases", {
      ...{ model: MODEL, candidate: "1.1.0" },
    });
    expect(refused.error.details).toMatchObject([
      { field: "candidate", problem: expect.stringContaining("other labels") },
    ]);
    await bench.ask(`/models/${MODEL}/pin`, { version: "1.1.0" }, "PUT");
    expect(await versionOf()).toBe("1.1.0");
  });

  test("for which there is no room fails with the numbers, and the others serve", {
    timeout: 30_000,
  }, async () => {
    await bench.start({ ...WATCHED, "models.memoryReserveMb": "1000000" });
    const failed = await waitFor("1.0.0", "failed");
    expect(failed?.reason).toMatch(/needs about \d+ MB, \d+ MB are free.*models\.memoryReserveMb/);
  });
});

describe("pins and labels", () => {
  test("say which version answers, outlive the process, and reach other processes", {
    timeout: 30_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start(WATCHED);
    expect(await versionOf()).toBe("1.1.0");
    await bench.ask(`/models/${MODEL}/pin`, { version: "1.0.0" }, "PUT");
    expect(await versionOf()).toBe("1.0.0");
    const labelled = await bench.ask<{ models: readonly Version[] }>(
      `/models/${MODEL}/labels/next`,
      { version: "1.1.0" },
      "PUT",
    );
    expect(labelled.models.find(({ version }) => version === "1.1.0")?.version_labels).toEqual([
      "next",
    ]);
    const by = async (model_version: string) => {
      const response = await bench.server.classify({ text: "good", model_version });
      return [
        response.status,
        ((await response.json()) as { model_version?: string }).model_version,
      ];
    };
    expect(await by("next")).toEqual([200, "1.1.0"]);
    expect(await by("stable")).toEqual([200, "1.0.0"]);
    expect((await by("canary"))[0]).toBe(404);
    const tensorFlow = await bench.ask<{ predictions: unknown[] }>(
      `/v1/models/${MODEL}/labels/next:predict`,
      { instances: ["good"] },
    );
    expect(tensorFlow.predictions).toHaveLength(1);
    const first = bench.server;
    await bench.start(WATCHED);
    expect(await versionOf()).toBe("1.0.0");
    expect(await by("next")).toEqual([200, "1.1.0"]);
    // Two processes on one store: what one is told, the other one does within a second.
    await bench.ask(`/models/${MODEL}/pin`, undefined, "DELETE");
    await bench.ask(`/models/${MODEL}/labels/next`, undefined, "DELETE");
    const ofFirst = async () =>
      ((await (await first.classify({ text: "good" })).json()) as { model_version: string })
        .model_version;
    await expect.poll(ofFirst, { timeout: 1000 }).toBe("1.1.0");
    expect((await by("next"))[0]).toBe(404);
    await first.drain();
  });

  test("load and unload single versions", { timeout: 30_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start(WATCHED);
    const end = callSteadily(3);
    await bench.ask(`/models/${MODEL}/versions/1.1.0/unload`, {});
    expect((await find("1.1.0"))?.state).toBe("unloaded");
    expect(await versionOf()).toBe("1.0.0");
    // The watch leaves alone what somebody unloaded.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await find("1.1.0"))?.state).toBe("unloaded");
    await bench.ask(`/models/${MODEL}/versions/1.1.0/load`, {});
    expect(await versionOf()).toBe("1.1.0");
    expect((await end()).statuses).toEqual([200]);
  });

  test("of a release have names, and nobody pins while it is under way", {
    timeout: 30_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start({ ...WATCHED, "models.defaultVersions": `{"${MODEL}":"1.0.0"}` });
    const { id } = await bench.release();
    await bench.waitFor(id, ["progressing"]);
    const by = async (model_version: string) => {
      const response = await bench.server.classify({ text: "good", model_version });
      return ((await response.json()) as { model_version?: string }).model_version;
    };
    await expect.poll(() => by("canary")).toBe("1.1.0");
    expect(await by("stable")).toBe("1.0.0");
    const refused = await bench.ask<{ error: { code: string } }>(
      `/models/${MODEL}/pin`,
      { version: "1.1.0" },
      "PUT",
    );
    expect(refused.error.code).toBe("conflict");
    await bench.ask(`/v1/releases/${id}/promote`, {});
    await bench.waitFor(id);
    expect(await versionOf()).toBe("1.1.0");
    // Whoever pins afterwards knows how it ended.
    await bench.ask(`/models/${MODEL}/pin`, { version: "1.0.0" }, "PUT");
    await expect.poll(() => versionOf()).toBe("1.0.0");
  });

  test.each<[string, string, object | undefined, number, string | undefined]>([
    ["PUT", `/models/${MODEL}/pin`, {}, 400, "version"],
    ["PUT", `/models/${MODEL}/pin`, { version: "1.0.0", more: 1 }, 400, "more"],
    ["PUT", `/models/${MODEL}/pin`, { version: "9.9.9" }, 404, "version"],
    ["PUT", "/models/nobody/pin", { version: "1.0.0" }, 404, "model"],
    ["PUT", `/models/${MODEL}/labels/Upper`, { version: "1.0.0" }, 400, "label"],
    ["PUT", `/models/${MODEL}/labels/1.0.0`, { version: "1.0.0" }, 400, "label"],
    ["PUT", `/models/${MODEL}/labels/next`, { version: "9.9.9" }, 404, "version"],
    ["DELETE", `/models/${MODEL}/labels/next`, undefined, 404, undefined],
    ["POST", `/models/${MODEL}/versions/9.9.9/load`, undefined, 404, "version"],
    ["POST", `/models/${MODEL}/versions/9.9.9/unload`, undefined, 404, undefined],
    ["GET", "/models/nobody", undefined, 404, "model"],
  ])("%s %s %j is %i", async (method, path, body, status, field) => {
    await bench.start(WATCHED);
    const response = await fetch(`${bench.server.url}${path}`, {
      method,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    const { error } = (await response.json()) as { error: { details?: { field: string }[] } };
    expect(response.status).toBe(status);
    expect(error.details?.[0]?.field).toBe(field);
  });

  test("are nobody's who may not", async () => {
    await bench.start({ ...WATCHED, "models.control": "none" });
    const refused = await bench.ask<{ error: { code: string; message: string } }>(
      `/models/${MODEL}/pin`,
      { version: "1.0.0" },
      "PUT",
    );
    expect(refused.error).toMatchObject({
      code: "permission_denied",
      message: expect.stringContaining("models.control"),
    });
  });
});
