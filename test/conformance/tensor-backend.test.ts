import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CPU } from "../../src/backends/onnx/device.ts";
import { createTensorBackend } from "../../src/backends/onnx/tensors/create-tensor-backend.ts";
import { startThread } from "../../src/backends/onnx/workers/thread-supply.ts";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import type { TensorBackend } from "../../src/core/ports/tensor-backend.ts";
import { writeModelFile } from "../support/onnx-fixtures.ts";
import {
  computeExpected,
  writeEchoModel,
  writeImageModel,
  writeTensorModel,
} from "../support/tensor-fixtures.ts";
import { describeTensorBackend } from "./tensor-backend.ts";

const opened: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const remove of opened) await remove();
});

const OPTIONS = { threadsPerWorker: 1, niceness: 0, hangTimeoutMs: 0, device: CPU };

async function open(bytes: Uint8Array, workers = 1): Promise<TensorBackend> {
  const { path, remove } = await writeModelFile(bytes);
  opened.push(remove);
  return await createTensorBackend({ ...OPTIONS, modelPath: path, workers });
}

function createQuestion(rows: number, k: number): readonly Tensor[] {
  const data = Float32Array.from({ length: 4 * rows }, (_, i) => i / 8 + rows);
  return [
    { name: "k", datatype: "INT64", shape: [rows], data: new BigInt64Array(rows).fill(BigInt(k)) },
    { name: "x", datatype: "FP32", shape: [rows, 4], data },
  ];
}

for (const workers of [1, 2]) {
  describeTensorBackend(`onnx, ${workers} worker(s)`, async () => ({
    backend: await open(writeTensorModel(), workers),
    questions: [1, 2, 3, 5].map((rows, index) => createQuestion(rows, index % 3)),
    badQuestion: createQuestion(2, 99),
  }));
}

describe("a graph in the ONNX driver", () => {
  test("is computed as the graph says", async () => {
    const backend = await open(writeTensorModel());
    const outputs = await backend.run(createQuestion(2, 2), ["y", "next", "entry"]);
    const rows = [
      computeExpected([2, 2.125, 2.25, 2.375], 2n),
      computeExpected([2.5, 2.625, 2.75, 2.875], 2n),
    ];
    expect(outputs).toEqual([
      {
        name: "y",
        datatype: "FP32",
        shape: [2, 4],
        data: Float32Array.from(rows.flatMap(({ y }) => y)),
      },
      { name: "next", datatype: "INT64", shape: [2], data: BigInt64Array.of(4n, 4n) },
      { name: "entry", datatype: "FP32", shape: [2], data: Float32Array.of(30, 30) },
    ]);
    await backend.close();
  });

  test("tells its inputs and outputs, with null for sizes that are open", async () => {
    const backend = await open(writeTensorModel());
    expect(backend.signature).toEqual({
      inputs: [
        { name: "x", datatype: "FP32", shape: [null, 4] },
        { name: "k", datatype: "INT64", shape: [null] },
      ],
      outputs: [
        { name: "y", datatype: "FP32", shape: [null, 4] },
        { name: "next", datatype: "INT64", shape: [null] },
        { name: "entry", datatype: "FP32", shape: [null] },
      ],
    });
    expect(backend.measuredRunMs).toBeGreaterThan(0);
    await backend.close();
  });

  test("that refuses the smallest inputs is served all the same", async () => {
    const backend = await open(writeImageModel());
    expect(backend.measuredRunMs).toBeUndefined();
    expect(backend.description).toContain("not tried");
    const data = new Float32Array(16).fill(1);
    const image: Tensor = { name: "image", datatype: "FP32", shape: [1, 1, 4, 4], data };
    const [sums] = await backend.run([image], ["sums"]);
    expect(sums).toMatchObject({ shape: [1, 1, 2, 2], data: Float32Array.of(9, 9, 9, 9) });
    await backend.close();
  });

  test("is run again when its worker dies, with inputs that are still there", async () => {
    const { path, remove } = await writeModelFile(new Uint8Array(1));
    opened.push(remove);
    const backend = await createTensorBackend({
      ...OPTIONS,
      modelPath: `${path}.died`,
      workers: 1,
      startThread: () => startThread(new URL("./tensor-fragile-worker.ts", import.meta.url)),
    });
    const data = Float32Array.of(1, 2, 3);
    const x: Tensor = { name: "x", datatype: "FP32", shape: [3], data };
    expect(await backend.run([x], ["x"])).toEqual([x]);
    expect(data).toHaveLength(3);
    await backend.close();
  });

  test("no file, or one that is no graph, is refused with the reason", async () => {
    await expect(open(new TextEncoder().encode("no graph"))).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("ONNX Runtime refused the model file"),
    });
  });
});

describe("tensors of every kind", () => {
  let backend: TensorBackend;
  beforeAll(async () => {
    backend = await open(writeEchoModel());
  });
  afterAll(() => backend.close());

  test.each<[string, Tensor]>([
    ["texts", { name: "text", datatype: "BYTES", shape: [2], data: ["a", "坏 é"] }],
    ["truth", { name: "flag", datatype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) }],
    ["half floats", { name: "half", datatype: "FP16", shape: [2], data: Uint16Array.of(15360, 1) }],
    [
      "64 bits",
      { name: "whole", datatype: "INT64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 1n) },
    ],
    ["no number", { name: "real", datatype: "FP32", shape: [1], data: Float32Array.of(NaN) }],
    ["no rows", { name: "real", datatype: "FP32", shape: [0], data: new Float32Array(0) }],
  ])("%s come out as they went in", async (_name, tensor) => {
    // The other inputs are needed, and may have another length.
    const others = EMPTY.filter(({ name }) => name !== tensor.name);
    const [output] = await backend.run([tensor, ...others], [`${tensor.name}_out`]);
    expect(output).toEqual({ ...tensor, name: `${tensor.name}_out` });
  });
});

const EMPTY: readonly Tensor[] = [
  { name: "text", datatype: "BYTES", shape: [0], data: [] },
  { name: "flag", datatype: "BOOL", shape: [0], data: new Uint8Array(0) },
  { name: "half", datatype: "FP16", shape: [0], data: new Uint16Array(0) },
  { name: "whole", datatype: "INT64", shape: [0], data: new BigInt64Array(0) },
  { name: "real", datatype: "FP32", shape: [0], data: new Float32Array(0) },
];
