import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { elementSize, toTensorData } from "../tensor-bytes.ts";
import { decodeRawTensor, encodeRawTensor } from "./raw-tensor.ts";

const NOT_UTF8 = Uint8Array.of(0xff, 0xfe);
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const element = fc.oneof(fc.string({ unit: "binary" }), fc.constant(NOT_UTF8));

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

test("what was written is read, wherever it lies in a body", () => {
  fc.assert(
    fc.property(tensors, fc.integer({ min: 0, max: 9 }), (tensor, offset) => {
      const bytes = encodeRawTensor(tensor);
      const body = new Uint8Array(offset + bytes.byteLength);
      body.set(bytes, offset);
      expect(decodeRawTensor(tensor, body.subarray(offset))).toEqual(tensor);
    }),
  );
});

test("any bytes are read or refused, and what is read is written as it came", () => {
  const datatypes = fc.constantFrom(...TENSOR_DATATYPES, "BF16", "");
  const sizes = fc.array(fc.oneof(fc.integer({ min: -1, max: 3 }), fc.double()), { maxLength: 3 });
  fc.assert(
    fc.property(
      datatypes,
      sizes,
      fc.uint8Array({ maxLength: 64, max: 5 }),
      (datatype, shape, bytes) => {
        try {
          const tensor = decodeRawTensor({ name: "x", datatype, shape }, bytes);
          expect(encodeRawTensor(tensor)).toEqual(bytes);
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          expect(error.code).toBe("invalid_argument");
        }
      },
    ),
    { numRuns: 500 },
  );
});
