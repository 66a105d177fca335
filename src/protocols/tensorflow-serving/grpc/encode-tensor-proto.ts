import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { TensorProtoSchema } from "../../../generated/tensorflow_pb.ts";
import { toBytes } from "../../tensor-bytes.ts";
import { LIST_OF } from "./read-tensor-proto.ts";
import { toDataType } from "./tensor-type.ts";

type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

/** Writes a tensor with its elements in the list of its datatype, as TensorFlow Serving answers: clients read the lists. */
export function encodeTensorProto(tensor: Tensor): TensorInit {
  const { datatype, data } = tensor;
  if (tensor.datatype === "BYTES") return encodeStrings(tensor.data, toHead(tensor));
  const [list] = LIST_OF[datatype];
  const values =
    datatype === "BOOL"
      ? Array.from(data, (value) => value !== 0)
      : Array.from(data as ArrayLike<number | bigint>);
  return { ...toHead(tensor), [list]: values };
}

/** Writes a tensor with its elements as bytes: a view, except for strings. The fastest form, which every server reads. */
export function encodeTensorContent(tensor: Tensor): TensorInit {
  if (tensor.datatype === "BYTES") return encodeStrings(tensor.data, toHead(tensor));
  return { ...toHead(tensor), tensorContent: toBytes(tensor.data) };
}

function encodeStrings(data: readonly (string | Uint8Array)[], head: TensorInit): TensorInit {
  return { ...head, stringVal: data.map((element) => Buffer.from(element)) };
}

function toHead({ datatype, shape }: Tensor): TensorInit {
  const dim = shape.map((size) => ({ size: BigInt(size) }));
  return { dtype: toDataType(datatype), tensorShape: { dim } };
}
