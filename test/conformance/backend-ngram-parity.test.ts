import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createNgramKernel } from "../../src/backends/onnx/kernel/ngram-kernel.ts";
import { createOrtRunner } from "../../src/backends/onnx/session/ort-session.ts";
import type { ModelProto } from "../../src/generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../src/generated/onnx_pb.ts";
import { readOnnx } from "../../src/model-tools/onnx/read-onnx.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { createRunnerSpec, toText } from "../support/backend-options.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
  writeSlowClassifier,
} from "../support/onnx-fixtures.ts";

const BUCKETS = 200;

/** Absolute for small logits, relative for large ones. */
const TOLERANCE = 1e-5;

function writeModel(options: { classes: number; combiner: "mean" | "sqrtn"; quantized: boolean }) {
  const fixed = { seed: 5, buckets: BUCKETS, dimensions: 8 };
  return writeNgramClassifier(createRandomNgramWeights({ ...fixed, ...options }));
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs((actual[index] ?? Number.NaN) - value);
    expect(difference).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(value)));
  }
}

async function scoreWithOrt(
  modelBytes: Uint8Array,
  labelCount: number,
  batch: readonly Int32Array[],
): Promise<readonly Float32Array[]> {
  const model = await writeModelFile(modelBytes);
  const output = { name: "logits", width: labelCount, pooling: "none", normalize: false } as const;
  const runner = await createOrtRunner(createRunnerSpec(model.path, { output }));
  try {
    return await runner.run(batch.map(toText));
  } finally {
    await runner.close();
    await model.remove();
  }
}

describe("the TypeScript kernel against ONNX Runtime on the same file", () => {
  // 20 classes over 8 dimensions is the form that does not fold the projection into the table.
  for (const classes of [2, 5, 20]) {
    for (const combiner of ["mean", "sqrtn"] as const) {
      for (const quantized of [false, true]) {
        const form = quantized ? "int8" : "float";
        test(`logits agree for ${classes} classes, ${combiner}, ${form}`, async () => {
          const bytes = writeModel({ classes, combiner, quantized });
          const kernel = createNgramKernel(bytes);
          const texts = [
            Int32Array.of(1),
            Int32Array.of(0),
            Int32Array.of(0, 3, 0, 3, 0),
            ...createRandomTexts(9, { count: 300, maxLength: 400, buckets: BUCKETS }),
          ];
          const rows = await scoreWithOrt(bytes, classes, texts);
          for (const [index, ids] of texts.entries()) {
            expectClose(
              kernel?.score(ids) ?? new Float32Array(),
              rows[index] ?? new Float32Array(),
            );
          }
        });
      }
    }
  }

  test("logits agree for any weights and any ragged batch", async () => {
    const anyModel = fc.record({
      seed: fc.nat(),
      buckets: fc.integer({ min: 2, max: 60 }),
      dimensions: fc.integer({ min: 1, max: 12 }),
      classes: fc.integer({ min: 2, max: 7 }),
      combiner: fc.constantFrom("mean" as const, "sqrtn" as const),
      quantized: fc.boolean(),
    });
    const anyText = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
    const anyBatch = fc.array(anyText, { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(anyModel, anyBatch, async (options, batch) => {
        const bytes = writeNgramClassifier(createRandomNgramWeights(options));
        const kernel = createNgramKernel(bytes);
        const texts = batch.map((ids) => Int32Array.from(ids, (id) => id % options.buckets));
        const rows = await scoreWithOrt(bytes, options.classes, texts);
        for (const [index, ids] of texts.entries()) {
          expectClose(kernel?.score(ids) ?? new Float32Array(), rows[index] ?? new Float32Array());
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("what the TypeScript kernel takes", () => {
  const bytes = writeModel({ classes: 2, combiner: "mean", quantized: false });

  function changeModel(change: (model: ModelProto) => void): Uint8Array {
    const model = readOnnx(bytes);
    change(model);
    return toBinary(ModelProtoSchema, model);
  }

  test("an unchanged copy of the file is recognised", () => {
    expect(createNgramKernel(changeModel(() => {}))).toMatchObject({
      buckets: BUCKETS,
      classes: 2,
    });
  });

  test("ids outside the table are refused", () => {
    const kernel = createNgramKernel(bytes);
    for (const id of [-1, BUCKETS, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(() => kernel?.score(Int32Array.of(1, id))).toThrow(
        expect.objectContaining({ code: "model_failed" }),
      );
    }
  });

  const changes: readonly [string, (model: ModelProto) => void][] = [
    ["without the metadata", (model) => model.metadataProps.splice(0)],
    ["of another format version", (model) => setMetadata(model, "sluice.graph_version", "2")],
    ["with another operator", (model) => setOperator(model, "logits", "Sub")],
    ["with another operator domain", (model) => setDomain(model, "logits", "com.example")],
    ["with an attribute that we never write", (model) => addAttribute(model, "logits")],
    ["with another padding id", (model) => setRawData(model, "pad_id", 1)],
    ["with another axis", (model) => setRawData(model, "length_axis", 0)],
    ["with a padding row that is not zero", (model) => setRawData(model, "embeddings", 0x3f)],
    ["with a bias of another length", (model) => dropRawData(model, "bias")],
    ["without its weights", (model) => model.graph?.initializer.splice(0, 1)],
    ["with another input", (model) => model.graph?.input.splice(0)],
  ];
  for (const [what, change] of changes) {
    test(`a graph ${what} is not recognised`, () => {
      expect(createNgramKernel(changeModel(change))).toBeUndefined();
    });
  }

  test("another graph, an empty file and random bytes are not recognised", () => {
    expect(createNgramKernel(writeSlowClassifier({ layers: 1 }))).toBeUndefined();
    expect(createNgramKernel(new Uint8Array())).toBeUndefined();
    expect(createNgramKernel(toBinary(ModelProtoSchema, create(ModelProtoSchema)))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        expect(createNgramKernel(junk)).toBeUndefined();
      }),
    );
  });
});

function setMetadata(model: ModelProto, key: string, value: string): void {
  for (const entry of model.metadataProps) if (entry.key === key) entry.value = value;
}

function findNode(model: ModelProto, name: string) {
  const node = model.graph?.node.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`The graph has no node ${name}.`);
  return node;
}

function setOperator(model: ModelProto, name: string, operator: string): void {
  findNode(model, name).opType = operator;
}

function setDomain(model: ModelProto, name: string, domain: string): void {
  findNode(model, name).domain = domain;
}

function addAttribute(model: ModelProto, name: string): void {
  const donor = findNode(model, "summed").attribute[0];
  if (donor !== undefined) findNode(model, name).attribute.push(donor);
}

function findRawData(model: ModelProto, name: string) {
  const tensor = model.graph?.initializer.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`The graph has no constant ${name}.`);
  // A copy, because the original is a view of the bytes that the other tests read too.
  tensor.rawData = new Uint8Array(tensor.rawData);
  return tensor;
}

function setRawData(model: ModelProto, name: string, firstByte: number): void {
  findRawData(model, name).rawData[0] = firstByte;
}

function dropRawData(model: ModelProto, name: string): void {
  const tensor = findRawData(model, name);
  tensor.rawData = tensor.rawData.subarray(4);
}
