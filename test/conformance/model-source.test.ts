import { createHash } from "node:crypto";
import { chmod, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDirectoryModelSource } from "../../src/stores/model-packages/directory.ts";
import { readPackage } from "../../src/stores/model-packages/read-package.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";

/** Root may read everything, so there is nothing to refuse. */
const IS_ROOT = process.getuid?.() === 0;

describe("model source: directory", () => {
  let models: ModelFolder;
  beforeEach(async () => {
    models = await createModelFolder();
  });
  afterEach(() => models.remove());

  const list = () => createDirectoryModelSource(models.path).list();
  const listNames = async () =>
    (await list()).map(({ model, version }) => `${model}/${version}`).sort();
  const verifyOnly = async () => {
    const [found] = await list();
    return found?.verify();
  };
  const file = (name: string) => join(models.path, "text-classification", "1.0.0", name);

  test("finds every version of every model and checks its digest", async () => {
    await models.write();
    await models.write({ version: "1.10.0" });
    await models.write({ model: "intents" });
    const found = await list();
    expect(await listNames()).toEqual([
      "intents/1.0.0",
      "text-classification/1.0.0",
      "text-classification/1.10.0",
    ]);
    const verified = await Promise.all(found.map((one) => one.verify()));
    expect(new Set(verified.map((one) => one.digest)).size).toBe(3);
    expect(verified[0]).toMatchObject({
      location: join(models.path, "intents", "1.0.0"),
      modelPath: join(models.path, "intents", "1.0.0", "model.onnx"),
      tokenizerPath: undefined,
    });
  });

  test("leaves out plain files, links to files, and hidden folders", async () => {
    await models.write();
    await writeFile(join(models.path, "README.md"), "");
    await symlink(join(models.path, "README.md"), join(models.path, "LINK.md"));
    await symlink("../README.md", join(models.path, "text-classification", "LINK.md"));
    await mkdir(join(models.path, ".cache"));
    await mkdir(join(models.path, "lost+found"));
    expect(await listNames()).toEqual(["text-classification/1.0.0"]);
  });

  test("follows links to folders and files, as volumes and caches use them", async () => {
    await models.write({ model: ".store/reviews" });
    await symlink(".store/reviews", join(models.path, "reviews"));
    const manifest = join(models.path, "reviews", "1.0.0", "manifest.json");
    await rm(manifest);
    await models.writeFiles(".blobs", { "1": { ...HEAD, name: "reviews" } });
    await symlink(join(models.path, ".blobs", "1"), manifest);
    expect(await listNames()).toEqual(["reviews/1.0.0"]);
    await expect(verifyOnly()).rejects.toThrow(/^Invalid manifest: task must be/);
  });

  test.each([
    [
      "a missing manifest",
      () => rm(file("manifest.json")).then(() => writeFile(file("MODEL_CARD.md"), "# A card")),
      /neither manifest\.json nor config/,
    ],
    ["a broken manifest", () => writeFile(file("manifest.json"), "{\n"), /line 2, column 1\.$/],
    ["an empty manifest", () => truncate(file("manifest.json"), 0), /manifest\.json is empty/],
    ["a manifest that is a list", () => writeFile(file("manifest.json"), "[]"), /a JSON object/],
    [
      "a manifest that is not UTF-8",
      () => writeFile(file("manifest.json"), Uint8Array.of(0x22, 0xff, 0x22)),
      /manifest\.json is not UTF-8/,
    ],
    ["a missing model file", () => rm(file("model.onnx")), /model\.onnx cannot be read: .*ENOENT/],
    ["an empty model file", () => truncate(file("model.onnx"), 0), /model\.onnx is empty \(0 by/],
    ["a truncated model file", () => truncate(file("model.onnx"), 10), /is not the stated file/],
    [
      "a pointer in place of a model file",
      () => writeFile(file("model.onnx"), "version https://git-lfs.github.com/spec/v1\noid x\n"),
      /only a pointer of Git LFS.*git lfs pull/,
    ],
    [
      "a folder in place of a model file",
      () => rm(file("model.onnx")).then(() => mkdir(file("model.onnx"))),
      /model\.onnx is not a file/,
    ],
  ])("refuses %s with the reason", async (_name, damage, reason) => {
    await models.write();
    await damage();
    await expect(verifyOnly()).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(reason),
    });
  });

  test.each([
    ["a path that leaves the folder", { model: { path: "../x", sha256: "a".repeat(64) } }],
    ["an absolute path", { model: { path: "/etc/passwd", sha256: "a".repeat(64) } }],
    ["labels that repeat", { labels: ["a", "a"] }],
  ])("refuses a manifest with %s", async (_name, changes) => {
    await models.write({ changes });
    await expect(verifyOnly()).rejects.toThrow(/^Invalid manifest: (model\.path|labels) must be/);
  });

  test("refuses a package whose manifest describes another folder", async () => {
    await models.write({ changes: { version: "2.0.0" } });
    await expect(verifyOnly()).rejects.toThrow("the folder is text-classification/1.0.0");
  });

  test("a folder with nothing but a graph is a model of tensors, in a folder for its version or without", async () => {
    await models.writeFiles("iris", { "model.onnx": "graph" });
    await models.writeFiles("moons/2.1.0", { "moons.onnx": "graph", "moons.onnx.data": "weights" });
    const [iris, moons] = await Promise.all((await list()).map((found) => found.verify()));
    expect(iris).toMatchObject({
      manifest: { name: "iris", version: "1.0.0", task: "tensor", maxJoinedRows: 1 },
      modelPath: join(models.path, "iris", "model.onnx"),
      tokenizerPath: undefined,
    });
    expect(iris?.manifest.model.sha256).toBe(createHash("sha256").update("graph").digest("hex"));
    expect(moons?.manifest).toMatchObject({ name: "moons", version: "2.1.0", task: "tensor" });
    expect(moons?.digest).not.toBe(iris?.digest);
  });

  test("a directory that is not there is named", async () => {
    const source = createDirectoryModelSource(join(models.path, "nowhere"));
    await expect(source.list()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("wrong packages of every kind have their own reason and leave the others alone", async () => {
    await models.write({ model: "good" });
    await models.writeFiles("export", EXPORT);
    const wrong: Record<string, RegExp> = {
      "a-loop": /circle \(ELOOP\)/,
      "both-ways": /move the files of both-ways\/ into a folder of their own, such as .*1\.0\.0/,
      dangling: /not there \(ENOENT\)/,
      empty: /^The folder is empty; a package is manifest\.json with its model, or/,
      "no-config": /neither manifest\.json nor config\.json beside model\.onnx/,
      "no-model": /model\.onnx is missing, here and in onnx\/; model\.safetensors cannot be served/,
      "no-tokenizer": /tokenizer\.json is missing; export it with tokenizer\.save_pretrained/,
      "empty-tokenizer": /tokenizer\.json is empty/,
      "broken-config": /config\.json is not valid JSON: see line 1, column 16\.$/,
      "other-head": /…ForSequenceClassification .*; found BertForTokenClassification/,
      "wrong-labels": /id2label\.1 repeats "a"/,
      "far-pooling": /modules\.json points to "\.\.\/\.\.", which is no folder of the export/,
      "name with blanks": /"name with blanks" must be named with letters/,
      "wrong-version": /wrong-version\/v1 must be named major\.minor\.patch/,
      "inner-loop": /circle \(ELOOP\)/,
    };
    const { config } = { config: EXPORT["config.json"] };
    await symlink("a-loop", join(models.path, "a-loop"));
    await symlink("nowhere", join(models.path, "dangling"));
    await mkdir(join(models.path, "empty"));
    await models.write({ model: "both-ways", version: "2.0.0" });
    await models.writeFiles("both-ways", EXPORT);
    await models.writeFiles("no-config", { "model.onnx": "x", "tokenizer.json": {} });
    await models.writeFiles("no-model", {
      ...EXPORT,
      "model.onnx": undefined,
      "model.safetensors": "x",
    });
    await models.writeFiles("no-tokenizer", { ...EXPORT, "tokenizer.json": undefined });
    await models.writeFiles("empty-tokenizer", { ...EXPORT, "tokenizer.json": "" });
    await models.writeFiles("broken-config", { ...EXPORT, "config.json": '{"num_labels": three}' });
    await models.writeFiles("other-head", {
      ...EXPORT,
      "config.json": { ...config, architectures: ["BertForTokenClassification"] },
    });
    await models.writeFiles("wrong-labels", {
      ...EXPORT,
      "config.json": { ...config, id2label: { "0": "a", "1": "a" } },
    });
    await models.writeFiles("far-pooling", {
      ...EXPORT,
      "modules.json": [{ type: "sentence_transformers.models.Pooling", path: "../.." }],
    });
    await models.writeFiles("name with blanks", EXPORT);
    await models.writeFiles("wrong-version/v1", EXPORT);
    await models.writeFiles("inner-loop", { ...EXPORT, "tokenizer.json": undefined });
    await symlink("tokenizer.json", join(models.path, "inner-loop", "tokenizer.json"));

    const reasons = new Map<string, string>();
    const served: string[] = [];
    for (const { model, version, verify } of await list()) {
      await verify().then(
        () => served.push(`${model}/${version}`),
        (error) => reasons.set(model, error.message),
      );
    }
    expect(served).toEqual(["export/1.0.0", "good/1.0.0"]);
    expect([...reasons.keys()].sort()).toEqual(Object.keys(wrong).sort());
    for (const [model, reason] of Object.entries(wrong)) {
      expect(reasons.get(model)).toMatch(reason);
      expect(reasons.get(model)).not.toContain(models.path);
    }
  });

  const title = "what may not be read says so and leaves the others alone";
  test.skipIf(IS_ROOT)(IS_ROOT ? `${title} [skipped: root reads everything]` : title, async () => {
    await models.write({ model: "good" });
    await models.write({ model: "closed" });
    await models.write({ model: "locked" });
    await chmod(join(models.path, "closed"), 0);
    await chmod(join(models.path, "locked", "1.0.0", "model.onnx"), 0);
    const [closed, good, locked] = await list();
    await expect(closed?.verify()).rejects.toThrow(/may not read it \(EACCES\)/);
    await expect(locked?.verify()).rejects.toThrow(/model\.onnx cannot be read: .*EACCES/);
    await expect(good?.verify()).resolves.toMatchObject({ manifest: { name: "good" } });
    await chmod(join(models.path, "closed"), 0o700);
  });
});

const HEAD = { schema: "sluice.model/v1", version: "1.0.0" };

const EXPORT = {
  "config.json": {
    architectures: ["BertForSequenceClassification"],
    id2label: { "0": "calm", "1": "angry" },
    label2id: { calm: 0, angry: 1 },
    max_position_embeddings: 512,
    pad_token_id: 0,
  },
  "tokenizer.json": { version: "1.0", model: { type: "WordPiece" } },
  "tokenizer_config.json": { model_max_length: 128 },
  "model.onnx": "graph",
};

describe("model source: Hugging Face exports", () => {
  let models: ModelFolder;
  beforeEach(async () => {
    models = await createModelFolder();
  });
  afterEach(() => models.remove());

  const verify = async () => {
    const [found, ...others] = await createDirectoryModelSource(models.path).list();
    expect(others).toEqual([]);
    if (found === undefined) throw new Error("Nothing was found.");
    return found.verify();
  };

  test("a folder of a model is its version 1.0.0", async () => {
    await models.writeFiles("all-MiniLM-L6-v2", {
      ...EXPORT,
      "README.md": "---\nlanguage: en\n---",
    });
    const { manifest, ...place } = await verify();
    const location = join(models.path, "all-MiniLM-L6-v2");
    expect(place).toMatchObject({
      location,
      modelPath: join(location, "model.onnx"),
      tokenizerPath: join(location, "tokenizer.json"),
    });
    expect(manifest).toMatchObject({
      name: "all-MiniLM-L6-v2",
      version: "1.0.0",
      task: "classification",
      labels: ["calm", "angry"],
      languages: ["en"],
      maxTokens: 128,
      // printf graph | sha256sum
      model: { sha256: "eef93e1d14482804277fca0172464032d1a4fdbcc338524059fa1e861454ad4d" },
    });
  });

  test("a folder of a version is that version", async () => {
    await models.writeFiles("moods/2.1.0", {
      ...EXPORT,
      "model.onnx": undefined,
      "onnx/model.onnx": "graph",
    });
    const { manifest, modelPath } = await verify();
    expect(manifest).toMatchObject({
      name: "moods",
      version: "2.1.0",
      model: { path: "onnx/model.onnx" },
    });
    expect(modelPath).toBe(join(models.path, "moods", "2.1.0", "onnx", "model.onnx"));
  });

  test("every file that decides what is answered changes the digest, a README does not", async () => {
    const files = { ...EXPORT, "model.onnx_data": "weights", "modules.json": [], "README.md": "x" };
    await models.writeFiles("moods", files);
    const { digest } = await verify();
    for (const name of Object.keys(files)) {
      const changed = name.endsWith("json") ? { ...EXPORT["config.json"], extra: 1 } : "changed";
      await models.writeFiles("moods", { ...files, [name]: changed });
      const { digest: now } = await verify();
      expect(now === digest, name).toBe(name === "README.md");
    }
    await models.writeFiles("moods", files);
    expect((await verify()).digest).toBe(digest);
  });

  test("a manifest may extend the export and state what only its owner knows", async () => {
    await models.writeFiles("moods", {
      ...EXPORT,
      "second.onnx": "other graph",
      "manifest.json": {
        schema: "sluice.model/v1",
        extends: "config.json",
        model: { path: "second.onnx" },
        abstainBelow: 0.6,
        windows: { max: 2 },
        description: "Tells angry from calm.",
      },
    });
    const { manifest, modelPath } = await verify();
    expect(modelPath).toBe(join(models.path, "moods", "second.onnx"));
    expect(manifest).toMatchObject({
      labels: ["calm", "angry"],
      abstainBelow: 0.6,
      windows: { max: 2, overlapTokens: 32 },
      description: "Tells angry from calm.",
    });
  });

  test.each([
    ["another digest", { model: { path: "model.onnx", sha256: "a".repeat(64) } }, /not the stated/],
    [
      "another digest of the tokenizer",
      { tokenizer: { kind: "tokenizer.json", sha256: "a".repeat(64) } },
      /^tokenizer\.json is not the stated file/,
    ],
    [
      "another name",
      { name: "other" },
      /describes other\/1\.0\.0, but the folder is moods\/1\.0\.0/,
    ],
    ["a file elsewhere", { model: { path: "../model.onnx" } }, /model\.path must be/],
    [
      "another base",
      { extends: "base.json" },
      /extends must be "config\.json"; found "base\.json"/,
    ],
    [
      "an unknown label",
      { thresholds: { x: 1 }, problemType: "multi_label_classification" },
      /thresholds\.x/,
    ],
  ])(
    "a manifest that extends the export and states %s is refused",
    async (_name, stated, reason) => {
      const manifest = { schema: "sluice.model/v1", extends: "config.json", ...stated };
      await models.writeFiles("moods", { ...EXPORT, "manifest.json": manifest });
      await expect(verify()).rejects.toThrow(reason);
    },
  );

  test("a complete manifest counts alone, whatever lies beside it", async () => {
    await models.write({ model: "moods" });
    await models.writeFiles("moods/1.0.0", { "config.json": "no JSON" });
    expect((await verify()).manifest).toMatchObject({ labels: ["negative", "positive"] });
  });

  test("read on its own, an export is named after its folder", async () => {
    await models.writeFiles("Mood swings/1.2.0", EXPORT);
    const versioned = await readPackage(join(models.path, "Mood swings", "1.2.0"));
    expect(versioned.manifest).toMatchObject({ name: "Mood-swings", version: "1.2.0" });
    await models.writeFiles("moods", EXPORT);
    const flat = await readPackage(join(models.path, "moods"));
    expect(flat.manifest).toMatchObject({ name: "moods", version: "1.0.0" });
  });
});
