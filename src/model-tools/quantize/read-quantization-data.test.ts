import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { QuantizationDataOptions } from "./read-quantization-data.ts";
import { readQuantizationData } from "./read-quantization-data.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-quantize-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Texts whose number is also their only id. */
async function writeTexts(name: string, from: number, to: number, header = "text,label") {
  const rows = Array.from({ length: to - from }, (_, i) => {
    return header === "text"
      ? `text ${from + i}`
      : `text ${from + i},${i % 2 === 0 ? "bad" : "good"}`;
  });
  const path = join(folder, name);
  await writeFile(path, [header, ...rows].join("\n"));
  return path;
}

function createOptions(dataPath: string, gatePaths: string[] = []): QuantizationDataOptions {
  return {
    dataPath,
    gatePaths,
    read: { text: "text", label: "label" },
    hasLabels: true,
    labels: ["bad", "good"],
    calibrationTexts: 100,
    encode: (text) => Int32Array.of(Number(text.split(" ")[1])),
  };
}

const toNumbers = (texts: readonly Int32Array[]) => texts.map(([id]) => id ?? -1);

test("without gate files the data is split, and no text is on two sides", async () => {
  const path = await writeTexts("split.csv", 0, 600);
  const { calibration, selection, gate } = await readQuantizationData(createOptions(path));
  const parts = [calibration, selection, gate[0]?.texts ?? []].map(toNumbers);
  expect(parts.map((part) => part.length)).toEqual([100, 100, expect.any(Number)]);
  expect(parts[2]?.length).toBeGreaterThan(240);
  expect(parts[2]?.length).toBeLessThan(360);
  expect(new Set(parts.flat()).size).toBe(parts.flat().length);
  expect(gate[0]?.name).toBe("split.csv, held out");
});

test("the same file is always split the same way, and order does not matter", async () => {
  const path = await writeTexts("order.csv", 0, 300);
  const first = await readQuantizationData(createOptions(path));
  expect(await readQuantizationData(createOptions(path))).toEqual(first);
  const { writeFile: write, readFile } = await import("node:fs/promises");
  const [header = "", ...rows] = (await readFile(path, "utf8")).split("\n");
  await write(path, [header, ...rows.reverse()].join("\n"));
  const reversed = await readQuantizationData(createOptions(path));
  expect(new Set(toNumbers(reversed.gate[0]?.texts ?? []))).toEqual(
    new Set(toNumbers(first.gate[0]?.texts ?? [])),
  );
});

test("texts of a gate file do not calibrate", async () => {
  const data = await writeTexts("data.csv", 0, 200);
  const gates = [await writeTexts("a.csv", 150, 250), await writeTexts("b.csv", 300, 340)];
  const texts = await readQuantizationData(createOptions(data, gates));
  const used = toNumbers([...texts.calibration, ...texts.selection]);
  expect(Math.max(...used)).toBeLessThan(150);
  expect(texts.gate.map(({ name, texts: { length } }) => [name, length])).toEqual([
    ["a.csv", 100],
    ["b.csv", 40],
  ]);
  expect(texts.gate[0]?.labels?.slice(0, 3)).toEqual([0, 1, 0]);
});

test("few texts all calibrate, and none is left to choose with", async () => {
  const data = await writeTexts("few.csv", 0, 60);
  const gate = await writeTexts("gate.csv", 100, 130);
  const { calibration, selection } = await readQuantizationData(createOptions(data, [gate]));
  expect([calibration.length, selection.length]).toEqual([60, 0]);
});

test("repeated texts count once", async () => {
  const data = join(folder, "repeated.csv");
  await writeFile(data, `text,label\n${"text 1,bad\nText 1!,good\n".repeat(50)}`);
  await expect(readQuantizationData(createOptions(data, [data]))).rejects.toThrow("leaves 0");
});

test("texts without labels are read too", async () => {
  const path = await writeTexts("texts.csv", 0, 100, "text");
  const options = { ...createOptions(path), hasLabels: false };
  const { gate } = await readQuantizationData(options);
  expect(gate[0]?.labels).toBeUndefined();
  expect(gate[0]?.texts.length).toBeGreaterThan(20);
});

test("labels may be numbers; one that the model does not have is refused", async () => {
  const path = join(folder, "numbers.csv");
  const rows = (label: number) => Array.from({ length: 100 }, (_, i) => `text ${i},${label}`);
  await writeFile(path, ["text,label", ...rows(1)].join("\n"));
  const { gate } = await readQuantizationData(createOptions(path));
  expect(new Set(gate[0]?.labels)).toEqual(new Set([1]));
  await writeFile(path, ["text,label", ...rows(2)].join("\n"));
  await expect(readQuantizationData(createOptions(path))).rejects.toThrow(
    'does not know the label "2"; it knows bad, good',
  );
});

test("too few texts are refused by name", async () => {
  const path = await writeTexts("tiny.csv", 0, 10);
  await expect(readQuantizationData(createOptions(path))).rejects.toThrow(/tiny\.csv.* leaves \d/);
});
