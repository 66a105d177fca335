import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GRPCInferenceService } from "../../src/generated/open_inference_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import { ReleaseServer } from "../support/release-server.ts";
import { writeScalingModel } from "../support/tensor-fixtures.ts";

const TEXTS = "text-classification";
/** No check comes while a test runs. */
const HALF = { interval_ms: 600_000, strategy: { kind: "canary", step_weights: [50] } };

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
});
afterEach(() => bench.close());

describe("a model of tensors", { timeout: 60_000 }, () => {
  const PLAN = {
    ...{ model: "scale", candidate: "1.1.0", interval_ms: 1000, min_samples: 20 },
    ...{ strategy: { kind: "canary", step_weights: [30, 60] }, sticky_by: { kind: "request" } },
    ...{ max_consecutive_failures: 1, mirror_share: 20 },
  };
  const FACTORS: Readonly<Record<string, number>> = { "1.0.0": 2, "1.1.0": 3 };

  async function addScale(version: string, bytes: Uint8Array): Promise<void> {
    const folder = join(bench.folder, "models/scale", version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "model.onnx"), bytes);
  }

  async function start(candidate: Uint8Array): Promise<void> {
    await addScale("1.0.0", writeScalingModel(2));
    await addScale("1.1.0", candidate);
    await bench.start({ "models.defaultVersions": '{"scale":"1.0.0"}' });
  }

  interface Seen {
    readonly version: string;
    readonly values: readonly number[];
  }

  /** The same question in two dialects. */
  const WAYS: readonly ((x: readonly number[]) => Promise<Seen>)[] = [
    async (x) => {
      const tensor = { datatype: "FP32", shape: [x.length, 1], data: x };
      const answer = await bench.ask<{
        model_version: string;
        outputs: { y: { data: number[] } };
      }>("/v1/predictions", { model: "scale", inputs: { x: tensor } });
      return { version: answer.model_version, values: answer.outputs.y.data };
    },
    async (x) => {
      const tensor = { name: "x", datatype: "FP32", shape: [x.length, 1], data: x };
      const answer = await bench.ask<{ model_version: string; outputs: { data: number[] }[] }>(
        "/v2/models/scale/infer",
        { inputs: [tensor] },
      );
      return { version: answer.model_version, values: answer.outputs[0]?.data ?? [] };
    },
  ];

  /** Asks until the release has ended. @returns versions that answered, each with what it says */
  async function callUntil(id: string): Promise<readonly string[]> {
    const versions: string[] = [];
    const endsAt = Date.now() + 40_000;
    for (let at = 0; Date.now() < endsAt; at++) {
      const seen = await WAYS[at % WAYS.length]?.([at, 1]);
      if (seen === undefined) throw new Error("There are no ways.");
      const factor = FACTORS[seen.version] ?? Number.NaN;
      expect(seen.values).toEqual([at * factor, factor]);
      versions.push(seen.version);
      if (["succeeded", "failed"].includes((await bench.find(id)).phase)) break;
    }
    return versions;
  }

  test("goes live in steps, and every answer is that of the version that it names", async () => {
    await start(writeScalingModel(3));
    const { id } = await bench.ask<{ id: string }>("/v1/releases", PLAN);
    const versions = await callUntil(id);
    expect(await bench.find(id)).toMatchObject({ phase: "succeeded" });
    expect(new Set(versions.slice(0, -1))).toEqual(new Set(["1.0.0", "1.1.0"]));
    for (const ask of WAYS) expect((await ask([5])).version).toBe("1.1.0");
    const metrics = await (await fetch(`${bench.server.url}/metrics`)).text();
    expect(metrics).toMatch(/^ai_model_copies_total\{model_version="scale:1.1.0"\} [1-9]/m);
  });

  test("that refuses what stable takes goes back, and no caller sees it", async () => {
    await start(writeScalingModel(3, 1));
    const { id } = await bench.ask<{ id: string }>("/v1/releases", PLAN);
    const versions = await callUntil(id);
    const ended = await bench.find(id);
    expect(ended.phase).toBe("failed");
    expect(ended.reason).toContain("success-rate");
    expect(new Set(versions)).toEqual(new Set(["1.0.0"]));
  });

  test("is judged by what it answers where its plan says so", async () => {
    await start(writeScalingModel(3));
    const outputs = { name: "outputs", kind: "output_disagreement", max_ratio: 0.1 };
    const { id } = await bench.ask<{ id: string }>("/v1/releases", { ...PLAN, metrics: [outputs] });
    const versions = await callUntil(id);
    const ended = await bench.find(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1, checks: [{ name: "outputs" }] });
    expect(ended.reason).toMatch(/^outputs: (100|9\d(\.\d+)?) % of \d+ is above 10 %/);
    expect(versions.at(-1)).toBe("1.0.0");
  });

  test("by default shows how often it answers otherwise, which decides nothing", async () => {
    await start(writeScalingModel(2.001));
    const { id } = await bench.ask<{ id: string }>("/v1/releases", PLAN);
    const readOutputs = async () => {
      await WAYS[0]?.([1, 2]);
      return (await bench.find(id)).checks.find(({ name }) => name === "outputs");
    };
    // A thousandth off is within the tolerance.
    await expect
      .poll(readOutputs, { timeout: 40_000, interval: 5 })
      .toMatchObject({ value: 0, outcome: "pass", is_decisive: false });
  });

  test.each([
    [{ kind: "label_disagreement", max_ratio: 0.1 }, "metrics[0].kind"],
    [{ kind: "output_disagreement", max_ratio: 0.1, output: "z" }, "metrics[0].output"],
    [{ kind: "output_disagreement", max_ratio: 0.1, compare: "top" }, "metrics[0].output"],
  ])("is not judged by what it does not answer with: %o", async (metric, field) => {
    await start(writeScalingModel(3));
    const { error } = await bench.ask<{ error: { details: object[] } }>("/v1/releases", {
      ...PLAN,
      metrics: [{ name: "labels", ...metric }],
    });
    expect(error.details).toMatchObject([{ field }]);
  });
});

describe("a model of texts", { timeout: 60_000 }, () => {
  const TEXT = "A wonderful, wonderful film.";
  /** What each version says of the text: the candidate has its labels the wrong way round. */
  const LABELS: Readonly<Record<string, string>> = { "1.0.0": "positive", "1.1.0": "negative" };

  beforeEach(() => bench.addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] }));

  async function startHalf(flags: Readonly<Record<string, string>> = {}): Promise<string> {
    await bench.start(flags);
    const { id } = await bench.release(HALF);
    await expect.poll(async () => (await bench.find(id)).weight, { timeout: 15_000 }).toBe(50);
    return id;
  }

  test("is divided by protocols of tensors too, and every answer is that of the version that it names", async () => {
    await startHalf({ "grpc.listen": "on", "grpc.port": "0" });
    const client = new GrpcClient(bench.server.grpcAddress ?? "");
    const input = { name: "text", datatype: "BYTES" };
    const ways = [
      async () => {
        const { model_version: version, outputs } = await bench.ask<{
          model_version: string;
          outputs: { name: string; data: string[] }[];
        }>(`/v2/models/${TEXTS}/infer`, { inputs: [{ ...input, shape: [1], data: [TEXT] }] });
        return { version, label: outputs.find(({ name }) => name === "label")?.data[0] };
      },
      async () => {
        const contents = { bytesContents: [Buffer.from(TEXT)] };
        const { modelVersion: version, outputs } = await client.call(
          GRPCInferenceService.method.modelInfer,
          { modelName: TEXTS, inputs: [{ ...input, shape: [1n], contents }] },
        );
        const found = outputs.find(({ name }) => name === "label")?.contents?.bytesContents[0];
        return { version, label: Buffer.from(found ?? []).toString() };
      },
    ];
    try {
      for (const ask of ways) {
        const seen = new Set<string>();
        for (let at = 0; at < 60; at++) {
          const { version, label } = await ask();
          expect(label).toBe(LABELS[version]);
          seen.add(version);
        }
        expect(seen).toEqual(new Set(["1.0.0", "1.1.0"]));
      }
    } finally {
      client.close();
    }
  });

  test("is divided where it is a step of a graph, which goes by what the release decides", async () => {
    const graphs = JSON.stringify([{ name: "front", sequence: [{ model: TEXTS }] }]);
    const id = await startHalf({ graphs });
    const ask = async () => {
      const answer = await bench.server.classify({ text: TEXT, model: "front" });
      const { predictions } = (await answer.json()) as { predictions: { label: string }[] };
      return predictions[0]?.label;
    };
    const seen = new Set<string | undefined>();
    for (let at = 0; at < 60; at++) seen.add(await ask());
    expect(seen).toEqual(new Set(["positive", "negative"]));
    await bench.ask(`/v1/releases/${id}/rollback`, {});
    await bench.waitFor(id);
    for (let at = 0; at < 20; at++) expect(await ask()).toBe("positive");
  });
});

describe("a model of vectors", { timeout: 60_000 }, () => {
  const MODEL = "text-embedding";
  const PLAN = { model: MODEL, candidate: "1.1.0", mirror_share: 100, min_samples: 20 };
  const OUTPUTS = { name: "outputs", kind: "output_disagreement", max_ratio: 0.1 };

  async function addPooled(version: string, isByFirst: boolean): Promise<void> {
    const from = new URL(`../../models/${MODEL}/1.0.0/`, import.meta.url).pathname;
    const folder = join(bench.folder, "models", MODEL, version);
    await cp(from, folder, { recursive: true });
    const change = async (path: string, changes: object) => {
      const read = JSON.parse(await readFile(join(folder, path), "utf8"));
      await writeFile(join(folder, path), JSON.stringify({ ...read, ...changes }));
    };
    await change("manifest.json", { version });
    await change("1_Pooling/config.json", {
      ...{ pooling_mode_cls_token: isByFirst, pooling_mode_mean_tokens: !isByFirst },
    });
  }

  async function release(isByFirst: boolean, plan: object) {
    await addPooled("1.0.0", false);
    await addPooled("1.1.0", isByFirst);
    const defaultVersions = JSON.stringify({ [MODEL]: "1.0.0" });
    await bench.start({
      ...{ "models.defaultVersions": defaultVersions, "models.loadOnDemand": "[]" },
    });
    return await bench.release({ ...PLAN, ...plan });
  }

  async function askUntilOver(id: string) {
    const endsAt = Date.now() + 40_000;
    for (let at = 0; Date.now() < endsAt; at++) {
      const asked = { model: MODEL, inputs: [`A film of ${at}.`] };
      expect(await bench.ask("/v1/predictions", asked)).toMatchObject({ model: MODEL });
      const found = await bench.find(id);
      if (["succeeded", "failed"].includes(found.phase)) return found;
    }
    throw new Error("The release did not end.");
  }

  test("goes back when its vectors are others, if that decides", async () => {
    const { id } = await release(true, { metrics: [OUTPUTS] });
    const ended = await askUntilOver(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("outputs: 100 % of");
  });

  test("goes live with the same vectors", async () => {
    const { id } = await release(false, { metrics: [OUTPUTS] });
    expect(await askUntilOver(id)).toMatchObject({ phase: "succeeded" });
  });

  test("is not judged by labels, which it does not give", async () => {
    const metrics = [{ name: "labels", kind: "label_disagreement", max_ratio: 0.1 }];
    const answer = (await release(false, { metrics })) as object;
    expect(answer).toMatchObject({ error: { details: [{ field: "metrics[0].kind" }] } });
  });
});

test("a model on other servers goes live in steps as a local one does", {
  timeout: 60_000,
}, async () => {
  await bench.addVersion("1.0.0", "1.1.0");
  const elsewhere = await bench.start();
  const here = await ReleaseServer.create();
  try {
    const remote = ["1.0.0", "1.1.0"].map((version) => ({
      ...{ name: "reviews", version, protocol: "open-inference", servers: [elsewhere.url] },
      ...{ remoteName: TEXTS, remoteVersion: version, task: "classification" },
      labels: ["negative", "positive"],
    }));
    await here.start({
      "models.remote": JSON.stringify(remote),
      "models.defaultVersions": '{"reviews":"1.0.0"}',
    });
    const { id } = await here.release({ model: "reviews" });
    const seen = new Set<string>();
    const endsAt = Date.now() + 40_000;
    let phase = "";
    for (let at = 0; !["succeeded", "failed"].includes(phase) && Date.now() < endsAt; at++) {
      const answer = await here.server.classify({ text: `A film ${at}.`, model: "reviews" });
      expect(answer.status).toBe(200);
      seen.add(((await answer.json()) as { model_version: string }).model_version);
      ({ phase } = await here.find(id));
    }
    expect(phase).toBe("succeeded");
    expect(seen).toEqual(new Set(["1.0.0", "1.1.0"]));
  } finally {
    await here.close();
  }
});
