import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDirectoryModelSource } from "../../src/stores/model-packages/directory.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";

describe("model source: directory", () => {
  let models: ModelFolder;
  beforeEach(async () => {
    models = await createModelFolder();
  });
  afterEach(() => models.remove());

  const verifyOnly = async () => {
    const [found] = await createDirectoryModelSource(models.path).list();
    return found?.verify();
  };
  const file = (name: string) => join(models.path, "text-classification", "1.0.0", name);

  test("finds every version of every model and checks its digest", async () => {
    await models.write();
    await models.write({ version: "1.10.0" });
    await models.write({ model: "intents" });
    const found = await createDirectoryModelSource(models.path).list();
    expect(found.map(({ model, version }) => `${model}/${version}`).sort()).toEqual([
      "intents/1.0.0",
      "text-classification/1.0.0",
      "text-classification/1.10.0",
    ]);
    const verified = await Promise.all(found.map((one) => one.verify()));
    expect(new Set(verified.map((one) => one.digest)).size).toBe(3);
  });

  test("leaves out plain files and hidden folders", async () => {
    await models.write();
    await writeFile(join(models.path, "README.md"), "");
    await mkdir(join(models.path, ".cache"));
    expect(await createDirectoryModelSource(models.path).list()).toHaveLength(1);
  });

  test.each([
    [
      "a missing manifest",
      () => rm(file("manifest.json")),
      /manifest\.json cannot be read: ENOENT/,
    ],
    ["a broken manifest", () => writeFile(file("manifest.json"), "{"), /not valid JSON/],
    ["a missing model file", () => rm(file("model.onnx")), /model\.onnx cannot be read: ENOENT/],
    ["a truncated model file", () => truncate(file("model.onnx"), 10), /is not the stated file/],
  ])("refuses %s with the reason", async (_name, damage, reason) => {
    await models.write();
    await damage();
    await expect(verifyOnly()).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(reason),
    });
  });

  test("refuses a package whose manifest describes another folder", async () => {
    await models.write({ changes: { version: "2.0.0" } });
    await expect(verifyOnly()).rejects.toThrow("the folder is text-classification/1.0.0");
  });

  test("a directory that is not there is named", async () => {
    const source = createDirectoryModelSource(join(models.path, "nowhere"));
    await expect(source.list()).rejects.toMatchObject({ code: "unavailable" });
  });
});
