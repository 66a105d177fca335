import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ModelProto, TensorProto } from "../../generated/onnx_pb.ts";
import {
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../generated/onnx_pb.ts";
import { readModelFile } from "./read-model-file.ts";
import { readOnnx } from "./read-onnx.ts";
import { readBytes, readFloats, toEmbeddedBytes } from "./tensor-data.ts";
import { writeModelFile } from "./write-model-file.ts";
import { createFloatTensor, createModel, createNode, createValueInfo } from "./write-onnx.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-onnx-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SIZE = 600;
/** Large enough to be moved; the small one is not. */
const large = Float32Array.from({ length: SIZE }, (_, i) => i / 8);
const listed = create(TensorProtoSchema, {
  name: "listed",
  dims: [BigInt(SIZE)],
  dataType: TensorProto_DataType.FLOAT,
  floatData: [...large].map((value) => -value),
});

/** y = (x · large + listed) · small */
function createScaler(): ModelProto {
  const type = (name: string) => createValueInfo(name, TensorProto_DataType.FLOAT, ["batch", SIZE]);
  return createModel({
    name: "scaler",
    inputs: [type("x")],
    outputs: [type("y")],
    initializers: [
      createFloatTensor("large", [SIZE], large),
      createFloatTensor("small", [1], Float32Array.of(2)),
      listed,
    ],
    nodes: [
      createNode("Mul", ["x", "large"], "product"),
      createNode("Add", ["product", "listed"], "sum"),
      createNode("Mul", ["sum", "small"], "y"),
    ],
    metadata: { a: "b" },
  });
}

async function runScaler(path: string): Promise<number[]> {
  const session = await InferenceSession.create(path, { logSeverityLevel: 4 });
  const x = new Tensor("float32", new Float32Array(SIZE).fill(3), [1, SIZE]);
  const { y } = await session.run({ x });
  await session.release();
  return [...((y?.data as Float32Array | undefined) ?? [])];
}

describe("writeModelFile", () => {
  test("weights in a second file are found by ONNX Runtime and by us", async () => {
    const path = join(folder, "model.onnx");
    const files = await writeModelFile(path, createScaler(), { externalData: "always" });
    expect(files.map((file) => file.path)).toEqual([path, `${path}.data`]);
    expect((await stat(`${path}.data`)).size).toBe(files[1]?.bytes);
    expect(await runScaler(path)).toEqual([...large].map((value) => 4 * value));
    const file = await readModelFile(path);
    const [first, small, second] = file.model.graph?.initializer ?? [];
    expect(first?.rawData).toHaveLength(0);
    expect(second?.externalData).toMatchObject([
      { key: "location", value: "model.onnx.data" },
      { key: "offset", value: "4096" },
      { key: "length", value: String(4 * SIZE) },
    ]);
    expect(small?.dataLocation).toBe(TensorProto_DataLocation.DEFAULT);
    expect(await readFloats(first as TensorProto, file.readChunks)).toEqual(large);
    expect([...(await readFloats(second as TensorProto, file.readChunks))]).toEqual(
      listed.floatData,
    );
    await file.close();
  });

  test("a model that fits is one file, and its weights come back into it", async () => {
    const path = join(folder, "model.onnx");
    await writeModelFile(path, createScaler(), { externalData: "always" });
    const file = await readModelFile(path);
    const again = join(folder, "again.onnx");
    const written = await writeModelFile(again, file.model, { readChunks: file.readChunks });
    await file.close();
    expect(written).toHaveLength(1);
    expect(await runScaler(again)).toEqual([...large].map((value) => 4 * value));
  });

  test("a model may be written over the one it is read from", async () => {
    const path = join(folder, "model.onnx");
    await writeModelFile(path, createScaler(), { externalData: "always" });
    const file = await readModelFile(path);
    file.model.graph?.initializer.reverse();
    const options = { readChunks: file.readChunks, externalData: "always" } as const;
    await writeModelFile(path, file.model, options);
    await file.close();
    expect(await runScaler(path)).toEqual([...large].map((value) => 4 * value));
    expect((await readdir(folder)).toSorted()).toEqual(["model.onnx", "model.onnx.data"]);
  });

  test("the given model is not changed, and the same model gives the same bytes", async () => {
    const model = createScaler();
    const before = toBinary(ModelProtoSchema, model);
    const path = join(folder, "model.onnx");
    await writeModelFile(path, model, { externalData: "always" });
    expect(toBinary(ModelProtoSchema, model)).toEqual(before);
    const first = [readFileSync(path), readFileSync(`${path}.data`)];
    await writeModelFile(path, model, { externalData: "always" });
    expect([readFileSync(path), readFileSync(`${path}.data`)]).toEqual(first);
  });

  test("fields that we do not know survive, in the model and in a tensor that moves", async () => {
    const model = createScaler();
    const [tensor] = model.graph?.initializer ?? [];
    // Field 16 of a tensor (metadata) and 25 of a model (functions), each with a length and its bytes.
    const unknown = (no: number) => ({ no, wireType: 2, data: Uint8Array.of(3, 0x0a, 1, 0x66) });
    if (tensor !== undefined) tensor.$unknown = [unknown(16)];
    model.$unknown = [unknown(25)];
    const path = join(folder, "model.onnx");
    await writeModelFile(path, model, { externalData: "always" });
    const again = readOnnx(readFileSync(path));
    expect(again.$unknown).toMatchObject([{ no: 25, data: Uint8Array.of(3, 0x0a, 1, 0x66) }]);
    expect(again.graph?.initializer[0]?.$unknown).toMatchObject([{ no: 16 }]);
  });

  test("constants in nodes and subgraphs are taken along when their file is left behind", async () => {
    const path = join(folder, "model.onnx");
    await writeModelFile(path, createScaler(), { externalData: "always" });
    const file = await readModelFile(path);
    const { graph } = file.model;
    const [moved] = graph?.initializer.splice(0, 1) ?? [];
    const constant = createNode("Constant", [], "large");
    constant.attribute.push({
      ...createNode("X", [], "x", { value: 0 }).attribute[0],
      name: "value",
      type: 4,
      t: moved,
    } as (typeof constant.attribute)[number]);
    graph?.node.unshift(constant);
    const again = join(folder, "again.onnx");
    await writeModelFile(again, file.model, { readChunks: file.readChunks });
    await file.close();
    const value = readOnnx(readFileSync(again)).graph?.node[0]?.attribute[0]?.t;
    expect(value?.dataLocation).toBe(TensorProto_DataLocation.DEFAULT);
    expect(await readFloats(value as TensorProto)).toEqual(large);
  });

  test("elements may be made up while they are written", async () => {
    const model = createScaler();
    const [tensor] = model.graph?.initializer ?? [];
    if (tensor !== undefined) tensor.rawData = new Uint8Array();
    const path = join(folder, "model.onnx");
    async function* readChunks(asked: TensorProto): AsyncIterable<Uint8Array> {
      if (asked !== tensor) return yield await readBytes(asked);
      for (const value of large) yield new Uint8Array(Float32Array.of(value).buffer);
    }
    for (const externalData of ["always", "never"] as const) {
      await writeModelFile(path, model, { readChunks, externalData });
      expect(await runScaler(path)).toEqual([...large].map((value) => 4 * value));
    }
  });

  test("a reader that gives too little leaves everything as it was", async () => {
    const path = join(folder, "model.onnx");
    writeFileSync(path, "before");
    async function* readChunks(): AsyncIterable<Uint8Array> {
      yield new Uint8Array(8);
    }
    const writing = writeModelFile(path, createScaler(), { readChunks, externalData: "always" });
    await expect(writing).rejects.toThrow("must have 2400 bytes; 8 were read");
    expect(await readdir(folder)).toEqual(["model.onnx"]);
    expect(readFileSync(path, "utf8")).toBe("before");
  });
});

describe("readModelFile", () => {
  const cases: readonly [string, Uint8Array | string, string][] = [
    ["an empty file", "", "empty"],
    ["text", "no model at all", "not an ONNX model"],
    ["a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid …", "git lfs pull"],
    ["a model without a graph", Uint8Array.of(8, 8), "no graph"],
  ];
  for (const [what, content, message] of cases) {
    test(`${what} is refused with its reason`, async () => {
      const path = join(folder, "model.onnx");
      writeFileSync(path, content);
      await expect(readModelFile(path)).rejects.toThrow(message);
    });
  }

  test("a file that was cut off is called so, wherever it was cut", async () => {
    const path = join(folder, "model.onnx");
    const bytes = toBinary(ModelProtoSchema, createScaler());
    for (const length of [40, 1000, bytes.length - 12]) {
      writeFileSync(path, bytes.subarray(0, length));
      await expect(readModelFile(path)).rejects.toThrow(`ends after ${length} bytes`);
    }
  });

  test("weights that lie beyond 4 GB are found by us and by ONNX Runtime", async () => {
    const path = join(folder, "model.onnx");
    await writeModelFile(path, createScaler(), { externalData: "always" });
    const model = readOnnx(readFileSync(path));
    const [, , second] = model.graph?.initializer ?? [];
    const offset = second?.externalData.find(({ key }) => key === "offset");
    if (offset !== undefined) offset.value = String(2 ** 32 + 4096);
    writeFileSync(path, toBinary(ModelProtoSchema, model));
    // The hole in the middle takes no room on the disk.
    const data = openSync(`${path}.data`, "r+");
    writeSync(data, toEmbeddedBytes(listed), 0, 4 * SIZE, 2 ** 32 + 4096);
    closeSync(data);
    const file = await readModelFile(path);
    const found = await readFloats(
      file.model.graph?.initializer[2] as TensorProto,
      file.readChunks,
    );
    await file.close();
    expect([...found]).toEqual(listed.floatData);
    expect(await runScaler(path)).toEqual([...large].map((value) => 4 * value));
  });

  test("what is no file, and a file that is not there, are told apart", async () => {
    await expect(readModelFile(folder)).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(readModelFile(join(folder, "no.onnx"))).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("a second file that is missing or too short is named when it is read", async () => {
    const path = join(folder, "model.onnx");
    await writeModelFile(path, createScaler(), { externalData: "always" });
    truncateSync(`${path}.data`, 5000);
    const cut = await readModelFile(path);
    const [first, , second] = cut.model.graph?.initializer ?? [];
    expect(await readFloats(first as TensorProto, cut.readChunks)).toEqual(large);
    await expect(readFloats(second as TensorProto, cut.readChunks)).rejects.toThrow(
      'model.onnx.data ends at byte 5000, in the middle of "listed"',
    );
    await cut.close();
    rmSync(`${path}.data`);
    const lost = await readModelFile(path);
    await expect(readFloats(second as TensorProto, lost.readChunks)).rejects.toThrow(
      "model.onnx.data, and that file cannot be opened",
    );
    await lost.close();
  });
});
