import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tensor } from "../../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../../core/ports/tensor.ts";
import { TensorProtoSchema } from "../../../generated/tensorflow_pb.ts";
import { elementSize, toTensorData } from "../../tensor-bytes.ts";
import { encodeTensorContent, encodeTensorProto } from "./encode-tensor-proto.ts";
import { readTensorProto } from "./read-tensor-proto.ts";

const element = fc.oneof(fc.string({ unit: "binary" }), fc.constant(Uint8Array.of(0xff, 0xfe)));
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

/** Not-a-numbers that are not the usual one are left out: lists of numbers do not keep their bits. */
const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...TENSOR_DATATYPES), shapes)
  .chain(([datatype, shape]): fc.Arbitrary<Tensor> => {
    const length = shape.reduce((product, size) => product * size, 1);
    if (datatype === "BYTES") {
      const texts = fc.array(element, { minLength: length, maxLength: length });
      return texts.map((data) => ({ name: "x", datatype, shape, data }));
    }
    const size = length * elementSize(datatype);
    const max = datatype === "BOOL" ? 1 : 255;
    return fc
      .uint8Array({ minLength: size, maxLength: size, max })
      .map(
        (bytes) => ({ name: "x", datatype, shape, data: toTensorData(datatype, bytes) }) as Tensor,
      );
  });

test("a tensor that was written either way is read", () => {
  fc.assert(
    fc.property(tensors, (tensor) => {
      for (const encode of [encodeTensorProto, encodeTensorContent]) {
        const message = create(TensorProtoSchema, encode(tensor));
        const bytes = toBinary(TensorProtoSchema, message);
        // Nothing may be filled up: a tensor that was written is whole.
        const read = readTensorProto("x", fromBinary(TensorProtoSchema, bytes), { bytes: 0 });
        expect(read).toEqual({ tensor });
      }
    }),
    { numRuns: 300 },
  );
});
