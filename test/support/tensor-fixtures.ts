import { TensorProto_DataType } from "../../src/generated/onnx_pb.ts";
import {
  createFloatTensor,
  createNode,
  createValueInfo,
  writeOnnx,
} from "../../src/model-tools/onnx/write-onnx.ts";

const { FLOAT, FLOAT16, INT64, STRING, BOOL } = TensorProto_DataType;

/** What `writeTensorModel` computes, for one row. */
export function computeExpected(x: readonly number[], k: bigint): { y: number[]; next: bigint } {
  return { y: x.map((value, i) => value * (i + 1) + Number(k)), next: k + k };
}

/**
 * Two inputs and three outputs of different datatypes, row by row: from `x` FP32 `[rows, 4]` and `k` INT64 `[rows]` come
 * `y` FP32 `[rows, 4]`, which is `x · (1, 2, 3, 4) + k`; `next` INT64 `[rows]`, which is `2k`; and `entry` FP32 `[rows]`,
 * the `k`-th of `10, 20, 30`: other `k` than 0, 1, 2 and -1, -2, -3 make the run fail.
 */
export function writeTensorModel(): Uint8Array {
  return writeOnnx({
    name: "tensors",
    inputs: [createValueInfo("x", FLOAT, ["rows", 4]), createValueInfo("k", INT64, ["rows"])],
    outputs: [
      createValueInfo("y", FLOAT, ["rows", 4]),
      createValueInfo("next", INT64, ["rows"]),
      createValueInfo("entry", FLOAT, ["rows"]),
    ],
    initializers: [
      createFloatTensor("factors", [4], Float32Array.of(1, 2, 3, 4)),
      createFloatTensor("entries", [3], Float32Array.of(10, 20, 30)),
      createFloatTensor("one", [1, 1], Float32Array.of(1)),
    ],
    nodes: [
      createNode("Mul", ["x", "factors"], "scaled"),
      createNode("Cast", ["k"], "k_float", { to: FLOAT }),
      createNode("Flatten", ["k_float"], "k_rows", { axis: 1 }),
      createNode("MatMul", ["k_rows", "one"], "k_column"),
      createNode("Add", ["scaled", "k_column"], "y"),
      createNode("Add", ["k", "k"], "next"),
      createNode("Gather", ["entries", "k"], "entry", { axis: 0 }),
    ],
    metadata: {},
  });
}

/** One number per row, and one back: `score` FP32 `[rows, 1]` is `2 · x` FP32 `[rows, 1]`. */
export function writeDoublingModel(): Uint8Array {
  return writeOnnx({
    name: "doubled",
    inputs: [createValueInfo("x", FLOAT, ["rows", 1])],
    outputs: [createValueInfo("score", FLOAT, ["rows", 1])],
    initializers: [],
    nodes: [createNode("Add", ["x", "x"], "score")],
    metadata: {},
  });
}

/**
 * One number per row, times a factor: `y` FP32 `[rows, 1]` is `factor · x` FP32 `[rows, 1]`.
 *
 * @param rows a number stands for a model that takes so many rows and no others
 */
export function writeScalingModel(factor: number, rows: number | string = "rows"): Uint8Array {
  return writeOnnx({
    name: "scaled",
    inputs: [createValueInfo("x", FLOAT, [rows, 1])],
    outputs: [createValueInfo("y", FLOAT, [rows, 1])],
    initializers: [createFloatTensor("factor", [1], Float32Array.of(factor))],
    nodes: [createNode("Mul", ["x", "factor"], "y")],
    metadata: {},
  });
}

/** One input and one output of every kind that JSON treats in its own way: each comes out as it went in. */
export function writeEchoModel(): Uint8Array {
  const kinds = { text: STRING, flag: BOOL, half: FLOAT16, whole: INT64, real: FLOAT };
  const entries = Object.entries(kinds);
  return writeOnnx({
    name: "echo",
    inputs: entries.map(([name, type]) => createValueInfo(name, type, ["n"])),
    outputs: entries.map(([name, type]) => createValueInfo(`${name}_out`, type, ["n"])),
    initializers: [],
    nodes: entries.map(([name]) => createNode("Identity", [name], `${name}_out`)),
    metadata: {},
  });
}

/** A small image goes in, at any size of at least 3 × 3; a map of the sums of 3 × 3 pixels comes out. */
export function writeImageModel(): Uint8Array {
  return writeOnnx({
    name: "image",
    inputs: [createValueInfo("image", FLOAT, [1, 1, "height", "width"])],
    outputs: [createValueInfo("sums", FLOAT, [1, 1, "h", "w"])],
    initializers: [createFloatTensor("kernel", [1, 1, 3, 3], new Float32Array(9).fill(1))],
    nodes: [createNode("Conv", ["image", "kernel"], "sums")],
    metadata: {},
  });
}

/** Rows that each need about as many milliseconds as there are `layers` times 0.05: `x` FP32 `[rows, 256]` → `y`. */
export function writeSlowTensorModel(layers: number): Uint8Array {
  const width = 256;
  const weights = Float32Array.from({ length: width * width }, (_, i) => Math.sin(i) / 16);
  const repeat = new Float32Array(64).fill(1 / 64);
  const chain = Array.from({ length: layers }, (_, layer) => [
    createNode("MatMul", [`hidden_${layer}`, "weights"], `product_${layer}`),
    createNode("Tanh", [`product_${layer}`], `hidden_${layer + 1}`),
  ]).flat();
  return writeOnnx({
    name: "slow",
    inputs: [createValueInfo("x", FLOAT, ["rows", 1, width])],
    outputs: [createValueInfo("y", FLOAT, ["rows", 64, width])],
    initializers: [
      createFloatTensor("weights", [width, width], weights),
      createFloatTensor("repeat", [1, 64, 1], repeat),
    ],
    nodes: [
      createNode("Mul", ["x", "repeat"], "hidden_0"),
      ...chain,
      createNode("Identity", [`hidden_${layers}`], "y"),
    ],
    metadata: {},
  });
}

/** `y` is `x`, FP32 `[n]`: what is measured with it is everything but the model. */
export function writeIdentityModel(): Uint8Array {
  return writeOnnx({
    name: "identity",
    inputs: [createValueInfo("x", FLOAT, ["n"])],
    outputs: [createValueInfo("y", FLOAT, ["n"])],
    initializers: [],
    nodes: [createNode("Identity", ["x"], "y")],
    metadata: {},
  });
}
