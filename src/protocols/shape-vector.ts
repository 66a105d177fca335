import { SluiceError } from "../core/errors.ts";

/** What a caller wants of a vector. */
export interface VectorShape {
  /** To length 1. A vector of zeros stays as it is. */
  readonly normalize: boolean;
  /** Keep this many of its first values; `undefined` = all. */
  readonly dimensions: number | undefined;
}

/**
 * Cuts and scales a vector. A new array, unless there is nothing to do.
 *
 * Cutting makes sense for models that were trained so that the first values carry most (Kusupati et al., "Matryoshka
 * Representation Learning", 2022); of others it takes a part of the meaning.
 *
 * @throws SluiceError `invalid_argument` when the vector is shorter than it shall become
 */
export function shapeVector(
  values: Float32Array,
  { normalize, dimensions = values.length }: VectorShape,
): Float32Array {
  if (dimensions > values.length) {
    const problem = `must be at most ${values.length}, which is what this model makes; found ${dimensions}`;
    throw new SluiceError("invalid_argument", `dimensions ${problem}.`, {
      details: [{ field: "dimensions", problem }],
    });
  }
  const kept = dimensions === values.length ? values : values.subarray(0, dimensions);
  const length = normalize ? lengthOf(kept) : 0;
  return length > 0 ? kept.map((value) => value / length) : kept;
}

function lengthOf(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

/** Cosine of the angle between two vectors of the same size, from -1 to 1; 0 when one of them is all zeros. */
export function cosineOf(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squaresOfA = 0;
  let squaresOfB = 0;
  for (const [index, valueOfA] of a.entries()) {
    const valueOfB = b[index] ?? 0;
    dot += valueOfA * valueOfB;
    squaresOfA += valueOfA * valueOfA;
    squaresOfB += valueOfB * valueOfB;
  }
  const lengths = Math.sqrt(squaresOfA * squaresOfB);
  return lengths === 0 ? 0 : Math.min(1, Math.max(-1, dot / lengths));
}
