/** One type that elements of a tensor may have. */
export interface OnnxDataType {
  /** As exporters and papers call it, e.g. `float32`. */
  readonly name: string;
  /** Bits of one element; undefined for strings, whose length varies. Types of 4 and 2 bits are packed. */
  readonly bits: number | undefined;
}

/**
 * The element types by their number in `TensorProto.data_type`. Newer ones than the file in `proto/` knows are here too,
 * so that models which hold them can be read and copied. Source: https://onnx.ai/onnx/repo-docs/IR.html.
 */
const DATA_TYPES: readonly (OnnxDataType | undefined)[] = [
  undefined,
  { name: "float32", bits: 32 },
  { name: "uint8", bits: 8 },
  { name: "int8", bits: 8 },
  { name: "uint16", bits: 16 },
  { name: "int16", bits: 16 },
  { name: "int32", bits: 32 },
  { name: "int64", bits: 64 },
  { name: "string", bits: undefined },
  { name: "bool", bits: 8 },
  { name: "float16", bits: 16 },
  { name: "float64", bits: 64 },
  { name: "uint32", bits: 32 },
  { name: "uint64", bits: 64 },
  { name: "complex64", bits: 64 },
  { name: "complex128", bits: 128 },
  { name: "bfloat16", bits: 16 },
  { name: "float8e4m3fn", bits: 8 },
  { name: "float8e4m3fnuz", bits: 8 },
  { name: "float8e5m2", bits: 8 },
  { name: "float8e5m2fnuz", bits: 8 },
  { name: "uint4", bits: 4 },
  { name: "int4", bits: 4 },
  { name: "float4e2m1", bits: 4 },
  { name: "float8e8m0", bits: 8 },
  { name: "uint2", bits: 2 },
  { name: "int2", bits: 2 },
];

/** Undefined for a number that stands for no type. */
export function toDataType(dataType: number): OnnxDataType | undefined {
  return DATA_TYPES[dataType];
}

/** The type's name, or its number where it has none. */
export function toDataTypeName(dataType: number): string {
  return toDataType(dataType)?.name ?? `type ${dataType}`;
}
