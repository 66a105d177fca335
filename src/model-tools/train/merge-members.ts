import { SluiceError } from "../../core/errors.ts";
import type { BagModel } from "./bag-model.ts";

/**
 * Merges independently trained members into one model whose logits are the mean of theirs.
 *
 * With a fixed projection (one dimension for two labels, or as many dimensions as labels) the tables are averaged and the
 * model stays as small as a member. With learned projections the dimensions are laid side by side, because the mean of
 * products is not the product of means: the merged model has the members' dimensions together.
 */
export function mergeMembers(members: readonly BagModel[]): BagModel {
  const [first, ...others] = members;
  if (first === undefined) throw new SluiceError("internal", "There are no members to merge.");
  if (others.length === 0) return first;
  const bias = averageArrays(members.map((member) => member.bias));
  if (others.every((other) => isSame(other.projection, first.projection))) {
    return { ...first, bias, embeddings: averageArrays(members.map((m) => m.embeddings)) };
  }
  const dimensions = members.reduce((sum, member) => sum + member.dimensions, 0);
  const embeddings = new Float32Array(first.buckets * dimensions);
  const projection = new Float32Array(dimensions * first.classes);
  let column = 0;
  for (const member of members) {
    const width = member.dimensions;
    for (let id = 0; id < first.buckets; id++) {
      const row = member.embeddings.subarray(id * width, (id + 1) * width);
      embeddings.set(row, id * dimensions + column);
    }
    projection.set(
      member.projection.map((value) => value / members.length),
      column * first.classes,
    );
    column += width;
  }
  return { ...first, dimensions, embeddings, projection, bias };
}

function averageArrays(arrays: readonly Float32Array[]): Float32Array {
  const length = arrays[0]?.length ?? 0;
  const mean = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (const array of arrays) sum += array[i] as number;
    mean[i] = sum / arrays.length;
  }
  return mean;
}

function isSame(left: Float32Array, right: Float32Array): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}
