import type { Tensor } from "../../core/ports/tensor.ts";

/** The tensor with memory of its own: what came over the wire is a view of a whole answer, and would keep it alive. */
export function ownTensor(tensor: Tensor): Tensor {
  if (tensor.datatype === "BYTES") {
    const data = tensor.data.map((element) =>
      typeof element === "string" ? element : Uint8Array.from(element),
    );
    return { ...tensor, data };
  }
  const { buffer, byteLength } = tensor.data;
  if (buffer.byteLength === byteLength) return tensor;
  // The same kind of array as before, which the compiler does not follow through a union.
  return { ...tensor, data: tensor.data.slice() } as Tensor;
}
