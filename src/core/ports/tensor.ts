/**
 * What the elements of a tensor are, by the names of the Open Inference Protocol, and what holds them in memory.
 * Source of the names: https://github.com/kserve/open-inference-protocol, "Tensor Data Types".
 */
export interface TensorData {
  /** 0 or 1 each. */
  readonly BOOL: Uint8Array;
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  /** The bits of half floats (IEEE 754 binary16), because not every engine has an array of them. */
  readonly FP16: Uint16Array;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
  /** Each a text, or bytes where they are no valid UTF-8 and so no text. */
  readonly BYTES: readonly (string | Uint8Array)[];
}

export type TensorDatatype = keyof TensorData;

export const TENSOR_DATATYPES = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
] as const satisfies readonly TensorDatatype[];

/** A tensor whose elements are of one datatype. */
export interface TensorOf<Datatype extends TensorDatatype> {
  /** As the model calls this input or output. */
  readonly name: string;
  readonly datatype: Datatype;
  /** Whole numbers ≥ 0, outermost first; empty for a single value. */
  readonly shape: readonly number[];
  /** Row-major; as many elements as `shape` says. May be a view of a larger buffer. Nobody modifies it. */
  readonly data: TensorData[Datatype];
}

/** A named array of any datatype. `datatype` tells which array `data` is. */
export type Tensor = { [Datatype in TensorDatatype]: TensorOf<Datatype> }[TensorDatatype];

/** What a model says about one of its inputs or outputs. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: TensorDatatype;
  /** A size, or null where the caller chooses; undefined when the model does not even state how many there are. */
  readonly shape: readonly (number | null)[] | undefined;
  /** An input that may be left out. */
  readonly isOptional?: true;
}

/** Everything that goes into a model and comes out of it, in the model's own order. */
export interface TensorSignature {
  /** At least one. All are needed but those that say otherwise. */
  readonly inputs: readonly TensorSpec[];
  /** At least one. */
  readonly outputs: readonly TensorSpec[];
}
