import type { Tensor } from "../../../core/ports/tensor.ts";
import type { Parcel } from "../workers/worker-protocol.ts";

/**
 * Copies of tensors for another thread. One copy is needed: a run is tried again when its worker dies, and views of a
 * larger buffer, such as a request's body, must not take all of it along.
 */
export function packCopies(tensors: readonly Tensor[]): Parcel<readonly Tensor[]> {
  return packOwn(tensors.map((tensor) => ({ ...tensor, data: tensor.data.slice() }) as Tensor));
}

/** Tensors that the sender needs no more: memory that is theirs alone is handed over, the rest is copied. */
export function packOwn(tensors: readonly Tensor[]): Parcel<readonly Tensor[]> {
  const transfer = new Set<ArrayBuffer>();
  const packed = tensors.map((tensor) => {
    const { data } = tensor;
    if (!ArrayBuffer.isView(data)) return tensor;
    const isWhole = data.byteLength === data.buffer.byteLength;
    if (isWhole && data.buffer instanceof ArrayBuffer && !transfer.has(data.buffer)) {
      transfer.add(data.buffer);
      return tensor;
    }
    const own = data.slice();
    if (own.buffer instanceof ArrayBuffer) transfer.add(own.buffer);
    return { ...tensor, data: own } as Tensor;
  });
  return { packed, transfer: [...transfer] };
}
