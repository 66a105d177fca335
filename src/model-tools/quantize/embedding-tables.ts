import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { createGraphIndex } from "../onnx/graph-index.ts";
import { createFloatTensor, createInt8Tensor, createNode } from "../onnx/write-onnx.ts";
import { quantizeRows } from "../train/quantize-rows.ts";
import { readFloatConstant, readNumberAttribute } from "./read-constant.ts";
import type { GraphPart } from "./write-quantized-layers.ts";

/** A float table whose rows are looked up, and the nodes that do so. */
export interface EmbeddingTable {
  readonly name: string;
  readonly rows: number;
  readonly dimensions: number;
  /** Row-major. */
  readonly data: Float32Array;
  readonly lookups: readonly NodeProto[];
}

/** Smaller tables (segments, labels) are not worth the extra operators. */
const LEAST_ROWS = 128;

/** Finds the tables that nothing but Gather along the rows reads. */
export function findEmbeddingTables(graph: GraphProto): EmbeddingTable[] {
  const index = createGraphIndex(graph);
  return graph.initializer.flatMap(({ name }) => {
    const consumers = index.consumersOf(name);
    const isTable = consumers.every(
      ({ node, input }) =>
        node.opType === "Gather" && input === 0 && (readNumberAttribute(node, "axis") ?? 0) === 0,
    );
    if (consumers.length === 0 || !isTable || index.isOutput(name)) return [];
    const constant = readFloatConstant(index, name);
    const [rows = 0, dimensions = 0] = constant?.dims ?? [];
    if (constant?.dims.length !== 2 || rows < LEAST_ROWS) return [];
    const lookups = consumers.map(({ node }) => node);
    return [{ name, rows, dimensions, data: constant.data, lookups }];
  });
}

/**
 * Writes a table in signed bytes with one scale per row: a quarter of the size, and rows with small values lose no more
 * than rows with large ones.
 *
 * @returns the constants, and what takes the place of each lookup.
 */
export function writeEmbeddingTable(table: EmbeddingTable): {
  initializers: GraphPart["initializers"];
  replacements: ReadonlyMap<NodeProto, readonly NodeProto[]>;
} {
  const { name, rows, dimensions, lookups } = table;
  const { values, rowScales } = quantizeRows(table.data, dimensions);
  const bytesName = `${name}/bytes`;
  const scalesName = `${name}/row_scales`;
  const replacements = lookups.map((lookup): [NodeProto, NodeProto[]] => {
    const [, ids = ""] = lookup.input;
    const [output = ""] = lookup.output;
    return [
      lookup,
      [
        createNode("Gather", [bytesName, ids], `${output}/bytes`),
        createNode("Cast", [`${output}/bytes`], `${output}/unscaled`, {
          to: TensorProto_DataType.FLOAT,
        }),
        createNode("Gather", [scalesName, ids], `${output}/scales`),
        createNode("Mul", [`${output}/unscaled`, `${output}/scales`], output),
      ],
    ];
  });
  return {
    initializers: [
      createInt8Tensor(bytesName, [rows, dimensions], values),
      createFloatTensor(scalesName, [rows, 1], rowScales),
    ],
    replacements: new Map(replacements),
  };
}
