import { create } from "@bufbuild/protobuf";
import type { NodeProto, TensorProto } from "../../generated/onnx_pb.ts";
import { NodeProtoSchema, TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { createFloatTensor, createInt8Tensor, createNode } from "../onnx/write-onnx.ts";
import type { AffineScale } from "./affine-scale.ts";
import type { QuantizedForm, QuantizedInput, QuantizedLayer } from "./quantized-layer.ts";

/** Operators and constants that take the place of linear layers, in an order in which they can run. */
export interface GraphPart {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/** The domain of ONNX Runtime's own operators. */
export const RUNTIME_DOMAIN = "com.microsoft";

/** Writes all layers of one input. The values that come out have the names that the layers' outputs had. */
export function writeQuantizedLayers(input: QuantizedInput, form: QuantizedForm): GraphPart {
  const smoothed = writeDivision(input);
  const rest =
    input.scale === undefined
      ? writeDynamic(input, smoothed.output)
      : writeStatic(input, input.scale, smoothed.output, form);
  return joinParts([smoothed, rest]);
}

function joinParts(parts: readonly GraphPart[]): GraphPart {
  return {
    nodes: parts.flatMap(({ nodes }) => nodes),
    initializers: parts.flatMap(({ initializers }) => initializers),
  };
}

function writeDivision({ value, divisors }: QuantizedInput): GraphPart & { output: string } {
  if (divisors === undefined) return { nodes: [], initializers: [], output: value };
  const factors = `${value}/smoothing`;
  const output = `${value}/smoothed`;
  return {
    nodes: [createNode("Mul", [value, factors], output)],
    initializers: [
      createFloatTensor(
        factors,
        [divisors.length],
        divisors.map((d) => 1 / d),
      ),
    ],
    output,
  };
}

/** An activation in bytes: the names of its values. */
interface ByteNames {
  readonly bytes: string;
  readonly scale: string;
  readonly zero: string;
  /** The bytes as floats again. */
  readonly restored: string;
}

function writeStatic(
  input: QuantizedInput,
  scale: AffineScale,
  from: string,
  form: QuantizedForm,
): GraphPart {
  const { value, layers } = input;
  const coarse = writeQuantization(value, from, scale);
  const isFine = layers.some((layer) => layer.isFine);
  const remainder = `${value}/remainder`;
  const fine = writeQuantization(remainder, remainder, toRemainderScale(scale));
  const parts: GraphPart[] = [coarse];
  if (isFine || form === "portable") parts.push(writeRestoration(coarse.names));
  if (isFine) {
    const subtraction = createNode("Sub", [from, coarse.names.restored], remainder);
    parts.push({ nodes: [subtraction], initializers: [] }, fine);
    if (form === "portable") parts.push(writeRestoration(fine.names));
  }
  for (const layer of layers) {
    const operands = layer.isFine ? [coarse.names, fine.names] : [coarse.names];
    const write = form === "fused" ? writeFusedLayer : writePortableLayer;
    parts.push(write(layer, operands));
  }
  return joinParts(parts);
}

/** Rounding leaves at most half a level on either side. */
function toRemainderScale({ scale }: AffineScale): AffineScale {
  return { scale: Math.fround(scale / 254), zeroPoint: 128 };
}

/** QuantizeLinear with a constant scale. */
function writeQuantization(
  value: string,
  from: string,
  { scale, zeroPoint }: AffineScale,
): GraphPart & { names: ByteNames } {
  const names = {
    bytes: `${value}/bytes`,
    scale: `${value}/scale`,
    zero: `${value}/zero_point`,
    restored: `${value}/restored`,
  };
  return {
    names,
    nodes: [createNode("QuantizeLinear", [from, names.scale, names.zero], names.bytes)],
    initializers: [
      createFloatTensor(names.scale, [], Float32Array.of(scale)),
      createUint8Scalar(names.zero, zeroPoint),
    ],
  };
}

function writeRestoration({ bytes, scale, zero, restored }: ByteNames): GraphPart {
  const node = createNode("DequantizeLinear", [bytes, scale, zero], restored);
  return { nodes: [node], initializers: [] };
}

/** The sum of one product per operand; the bias is added with the first. */
function writeFusedLayer(quantized: QuantizedLayer, operands: readonly ByteNames[]): GraphPart {
  const { layer, bias } = quantized;
  const weights = writeWeights(quantized);
  const biasName = `${layer.output}/bias`;
  const products = toProductNames(layer.output, operands.length);
  const nodes = operands.map(({ bytes, scale, zero }, step) => {
    const node = create(NodeProtoSchema, {
      name: products[step] ?? "",
      opType: "MatMulIntegerToFloat",
      domain: RUNTIME_DOMAIN,
      // An absent weight zero point means zero.
      input: [bytes, weights.values, scale, weights.scales, zero, ""],
      output: [products[step] ?? ""],
    });
    if (bias !== undefined && step === 0) node.input.push(biasName);
    return node;
  });
  return {
    nodes: [...nodes, ...createSum(products, layer.output)],
    initializers: [...weights.initializers, ...createBias(biasName, bias)],
  };
}

function writePortableLayer(quantized: QuantizedLayer, operands: readonly ByteNames[]): GraphPart {
  const { layer, bias } = quantized;
  const { columns } = layer.matrix;
  const weights = writeWeights(quantized);
  const zeros = `${layer.output}/weight_zero_points`;
  const matrix = `${layer.output}/weights`;
  const biasName = `${layer.output}/bias`;
  const total = bias === undefined ? layer.output : `${layer.output}/total`;
  const products = toProductNames(total, operands.length);
  const nodes = [
    createNode("DequantizeLinear", [weights.values, weights.scales, zeros], matrix, { axis: 1 }),
    ...operands.map(({ restored }, step) =>
      createNode("MatMul", [restored, matrix], products[step] ?? ""),
    ),
    ...createSum(products, total),
  ];
  if (bias !== undefined) nodes.push(createNode("Add", [total, biasName], layer.output));
  const zeroPoints = createInt8Tensor(zeros, [columns], new Int8Array(columns));
  return {
    nodes,
    initializers: [...weights.initializers, zeroPoints, ...createBias(biasName, bias)],
  };
}

/** A single product is the total already. */
function toProductNames(total: string, count: number): string[] {
  if (count === 1) return [total];
  return Array.from({ length: count }, (_, step) => `${total}/product_${step}`);
}

function createSum(products: readonly string[], total: string): NodeProto[] {
  return products.length === 1 ? [] : [createNode("Add", products, total)];
}

/** ONNX Runtime joins the operators of every layer into one. */
function writeDynamic({ value, layers }: QuantizedInput, from: string): GraphPart {
  const names = { scale: `${value}/scale`, zero: `${value}/zero_point`, bytes: `${value}/bytes` };
  const quantization = create(NodeProtoSchema, {
    name: names.bytes,
    opType: "DynamicQuantizeLinear",
    input: [from],
    output: [names.bytes, names.scale, names.zero],
  });
  const parts = layers.map((quantized): GraphPart => {
    const { layer, bias } = quantized;
    const { output } = layer;
    const weights = writeWeights(quantized);
    const product = bias === undefined ? output : `${output}/product`;
    const nodes = [
      createNode("MatMulInteger", [names.bytes, weights.values, names.zero], `${output}/sums`),
      createNode("Cast", [`${output}/sums`], `${output}/float_sums`, {
        to: TensorProto_DataType.FLOAT,
      }),
      createNode("Mul", [names.scale, weights.scales], `${output}/scales`),
      createNode("Mul", [`${output}/float_sums`, `${output}/scales`], product),
    ];
    const biasName = `${output}/bias`;
    if (bias !== undefined) nodes.push(createNode("Add", [product, biasName], output));
    return { nodes, initializers: [...weights.initializers, ...createBias(biasName, bias)] };
  });
  return joinParts([{ nodes: [quantization], initializers: [] }, ...parts]);
}

function writeWeights({ layer, weights }: QuantizedLayer) {
  const { output, matrix } = layer;
  const values = `${output}/weight_bytes`;
  const scales = `${output}/weight_scales`;
  return {
    values,
    scales,
    initializers: [
      createInt8Tensor(values, [matrix.rows, matrix.columns], weights.values),
      createFloatTensor(scales, [matrix.columns], weights.scales),
    ],
  };
}

function createBias(name: string, bias: Float32Array | undefined): TensorProto[] {
  return bias === undefined ? [] : [createFloatTensor(name, [bias.length], bias)];
}

function createUint8Scalar(name: string, value: number): TensorProto {
  const tensor = createInt8Tensor(name, [], new Int8Array(Uint8Array.of(value).buffer));
  tensor.dataType = TensorProto_DataType.UINT8;
  return tensor;
}
