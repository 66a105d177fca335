import { afterAll, beforeAll, expect, test } from "vitest";
import { createIdTexts, createSmallEncoderBytes } from "../../../test/support/small-encoder.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { readOnnx } from "../onnx/read-onnx.ts";
import type { QuantizationRecipe } from "./build-quantized-model.ts";
import { buildQuantizedModel } from "./build-quantized-model.ts";
import type { Calibration } from "./calibration.ts";
import { openCalibration } from "./calibration.ts";
import { findLinearLayers } from "./linear-layers.ts";
import { openModelSession } from "./model-session.ts";
import { RUNTIME_DOMAIN } from "./write-quantized-layers.ts";

const float = createSmallEncoderBytes();
const texts = createIdTexts(60, 1);
const session = { padId: 0, threads: 1 };
const base: QuantizationRecipe = {
  method: "min-max",
  isSmoothed: false,
  correctsBias: false,
  form: "fused",
  largestWeight: 127,
  quantizesEmbeddings: true,
  floatLayers: new Set(),
};
let calibration: Calibration;

beforeAll(async () => {
  const graph = readOnnx(float).graph;
  const layers = graph === undefined ? [] : findLinearLayers(graph);
  const options = { ...session, model: float, layers, texts: createIdTexts(80, 2) };
  calibration = await openCalibration({ ...options, percentile: 99.99 });
});
afterAll(() => calibration.close());

function build(change: Partial<QuantizationRecipe> = {}): Promise<Uint8Array> {
  return buildQuantizedModel(float, calibration, { ...base, ...change });
}

async function runAlone(model: Uint8Array): Promise<Float32Array[]> {
  const opened = await openModelSession(model, session);
  const rows: Float32Array[] = [];
  for (const ids of texts) {
    rows.push((await opened.run([ids]))["logits"]?.data ?? new Float32Array());
  }
  await opened.close();
  return rows;
}

async function runInBatches(model: Uint8Array, size: number): Promise<Float32Array[]> {
  const opened = await openModelSession(model, session);
  const rows: Float32Array[] = [];
  for (let start = 0; start < texts.length; start += size) {
    const batch = texts.slice(start, start + size);
    const logits = (await opened.run(batch))["logits"]?.data ?? new Float32Array();
    rows.push(...batch.map((_, row) => logits.slice(3 * row, 3 * row + 3)));
  }
  await opened.close();
  return rows;
}

/** Root of the mean squared difference, as a share of the spread of the reference. */
function toRelativeError(
  rows: readonly Float32Array[],
  reference: readonly Float32Array[],
): number {
  const [a, b] = [rows, reference].map((list) => list.flatMap((row) => [...row])) as [
    number[],
    number[],
  ];
  const mean = b.reduce((sum, x) => sum + x, 0) / b.length;
  const spread = b.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - (b[i] ?? 0)) ** 2, 0) / spread);
}

for (const form of ["fused", "portable"] as const) {
  test(`${form}: logits stay close to the float model's`, async () => {
    const error = toRelativeError(await runAlone(await build({ form })), await runAlone(float));
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.1);
  });

  test(`${form}: a text has bit for bit the same logits alone and beside any others`, async () => {
    const model = await build({ form, isSmoothed: true, correctsBias: true });
    const alone = await runAlone(model);
    expect(await runInBatches(model, 7)).toEqual(alone);
    expect(await runInBatches(model, 32)).toEqual(alone);
  });
}

test("both forms give the same logits up to rounding", async () => {
  const fused = await runAlone(await build({ form: "fused" }));
  const portable = await runAlone(await build({ form: "portable" }));
  expect(toRelativeError(portable, fused)).toBeLessThan(1e-4);
});

test("with dynamic scales the rest of the batch changes logits", async () => {
  const model = await build({ method: "dynamic" });
  const alone = await runAlone(model);
  expect(toRelativeError(alone, await runAlone(float))).toBeLessThan(0.1);
  expect(await runInBatches(model, 7)).not.toEqual(alone);
});

test("smoothing brings the error down where a few channels stand out", async () => {
  const reference = await runAlone(float);
  const plain = toRelativeError(await runAlone(await build()), reference);
  const smoothed = toRelativeError(await runAlone(await build({ isSmoothed: true })), reference);
  expect(smoothed).toBeLessThan(0.8 * plain);
});

for (const form of ["fused", "portable"] as const) {
  test(`${form}: activations of sixteen bits leave little more than the error of the weights`, async () => {
    const graph = readOnnx(float).graph;
    const fineLayers = new Set(
      (graph === undefined ? [] : findLinearLayers(graph)).map(({ name }) => name),
    );
    const reference = await runAlone(float);
    const coarse = toRelativeError(await runAlone(await build({ form })), reference);
    const model = await build({ form, fineLayers, correctsBias: true });
    const alone = await runAlone(model);
    expect(toRelativeError(alone, reference)).toBeLessThan(0.6 * coarse);
    expect(await runInBatches(model, 7)).toEqual(alone);
  });
}

test("seven-bit weights cost little", async () => {
  const model = await build({ largestWeight: 64 });
  const weights = readOnnx(model).graph?.initializer.filter(({ name }) =>
    /weight_bytes$/.test(name),
  );
  const largest = weights?.map(({ rawData }) => Math.max(...new Int8Array(rawData).map(Math.abs)));
  expect(Math.max(...(largest ?? []))).toBe(64);
  expect(toRelativeError(await runAlone(model), await runAlone(float))).toBeLessThan(0.12);
});

test("the fused form multiplies bytes, and reads a shared input once", async () => {
  const model = readOnnx(await build());
  const operators = model.graph?.node.map(({ opType }) => opType) ?? [];
  const count = (operator: string) => operators.filter((other) => other === operator).length;
  expect(count("MatMulIntegerToFloat")).toBe(12);
  expect(count("QuantizeLinear")).toBe(8);
  expect(model.opsetImport).toContainEqual(expect.objectContaining({ domain: RUNTIME_DOMAIN }));
});

test("the portable form consists of standard operators", async () => {
  const model = readOnnx(await build({ form: "portable" }));
  expect(model.opsetImport).toMatchObject([{ domain: "", version: 17n }]);
  expect(model.graph?.node.every(({ domain }) => domain === "")).toBe(true);
});

test("float weights of quantized layers and tables are gone", async () => {
  const graph = readOnnx(await build()).graph;
  const floats = graph?.initializer.filter(({ dataType, dims }) => {
    return dataType === TensorProto_DataType.FLOAT && dims.length === 2;
  });
  // What stays: the scales of the table, the table of positions (too small to matter), of segments, and the head.
  const names = floats?.map(({ name }) => name).sort();
  expect(names?.filter((name) => name.includes("encoder.layer"))).toEqual([]);
  expect(names).not.toContain("embeddings.word_embeddings.weight");
  expect(names).toContain("pooler.dense.weight");
});

test("layers that are named stay in float", async () => {
  const graph = readOnnx(float).graph;
  const first = graph === undefined ? undefined : findLinearLayers(graph)[0];
  const model = readOnnx(await build({ floatLayers: new Set([first?.name ?? ""]) }));
  const names = model.graph?.initializer.map(({ name }) => name);
  expect(names).toContain(first?.weightName);
  const operators = model.graph?.node.map(({ opType }) => opType);
  expect(operators?.filter((operator) => operator === "MatMulIntegerToFloat")).toHaveLength(11);
});

test("the same recipe gives the same bytes", async () => {
  const recipe = { isSmoothed: true, correctsBias: true, method: "entropy" } as const;
  expect(await build(recipe)).toEqual(await build(recipe));
});
