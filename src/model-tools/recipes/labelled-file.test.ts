import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseManifest } from "../../core/models/manifest.ts";
import { toSha256, writePackage } from "../train/write-package.ts";
import type { LabelledFileOptions } from "./labelled-file.ts";
import { trainFromLabelledTexts } from "./labelled-file.ts";

const OPTIONS: LabelledFileOptions = {
  name: "mood",
  version: "1.2.3",
  dataPath: "some/where/moods.csv",
  languages: ["en"],
  license: "MIT",
  validationShare: 0.2,
  overrides: { threads: 0, epochs: 3 },
  buckets: 2 ** 10,
};
const TEXTS = Array.from({ length: 120 }, (_, i) =>
  i % 2 === 0
    ? { text: `good thing ${i}`, label: "happy" }
    : { text: `bad thing ${i}`, label: "angry" },
);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-package-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a file of labelled texts becomes a package that a server accepts", async () => {
  const result = await trainFromLabelledTexts(TEXTS, OPTIONS, () => {});
  expect(result.heldOut?.metrics.accuracy).toBeGreaterThan(0.9);
  await writePackage(folder, result.package);
  expect((await readdir(folder)).sort()).toEqual(["MODEL_CARD.md", "manifest.json", "model.onnx"]);
  const json = await readFile(join(folder, "manifest.json"), "utf8");
  const manifest = parseManifest(JSON.parse(json));
  expect(manifest).toMatchObject({ labels: ["angry", "happy"] });
  expect(manifest.model.sha256).toBe(toSha256(await readFile(join(folder, "model.onnx"))));
  expect(json).not.toContain("some/where");
});

test("the same texts and options give the same package", async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => trainFromLabelledTexts(TEXTS, OPTIONS, () => {})),
  );
  expect(second?.package).toEqual(first?.package);
});

test("more labels than a plain model takes get embeddings, and a smaller file", async () => {
  const texts = Array.from({ length: 400 }, (_, i) => ({
    text: `word${i % 40} number ${i}`,
    label: `label ${i % 40}`,
  }));
  const options = { ...OPTIONS, overrides: { threads: 0, epochs: 2, dimensions: 8 } };
  const { package: made } = await trainFromLabelledTexts(texts, options, () => {});
  expect(made.labels).toHaveLength(40);
  expect(made.modelBytes.length).toBeLessThan(2 ** 10 * (8 + 4) + 8192);
});

test("nothing is written when the name is not one", async () => {
  const { package: made } = await trainFromLabelledTexts(TEXTS, OPTIONS, () => {});
  const target = join(folder, "refused");
  await expect(writePackage(target, { ...made, name: "No Name" })).rejects.toThrow("name must be");
  await expect(readdir(target)).rejects.toThrow("ENOENT");
});
