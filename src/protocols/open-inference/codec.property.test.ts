import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor, TensorDatatype, TensorSignature } from "../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { fromHalfBits } from "../../core/tensors/half-float.ts";
import { createTensorData } from "../../core/tensors/tensor-data.ts";
import { decodeInfer } from "./decode-infer.ts";
import { decodeInferResponse } from "./decode-infer-response.ts";
import { encodeInfer } from "./encode-infer.ts";
import { encodeInferRequest } from "./encode-infer-request.ts";
import type { EncodedBody } from "./join-body.ts";
import { countBytes } from "./join-body.ts";

const isFiniteHalf = (bits: number) => Number.isFinite(fromHalfBits(bits));
const finite = { noNaN: true, noDefaultInfinity: true };

/** Elements that JSON can hold. */
const ELEMENTS: Readonly<Record<TensorDatatype, fc.Arbitrary<unknown>>> = {
  BOOL: fc.integer({ min: 0, max: 1 }),
  UINT8: fc.integer({ min: 0, max: 255 }),
  UINT16: fc.integer({ min: 0, max: 65_535 }),
  UINT32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  UINT64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  FP16: fc.integer({ min: 0, max: 65_535 }).filter(isFiniteHalf),
  FP32: fc.float(finite),
  FP64: fc.double(finite),
  BYTES: fc.string({ unit: "binary" }),
};

const tensors: fc.Arbitrary<readonly Tensor[]> = fc
  .array(
    fc.record({
      datatype: fc.constantFrom(...TENSOR_DATATYPES),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .chain((heads) =>
    fc.tuple(
      ...heads.map(({ datatype, shape }, index) => {
        const length = shape.reduce((product, size) => product * size, 1);
        return fc
          .array(ELEMENTS[datatype], { minLength: length, maxLength: length })
          .map((elements) => {
            const data = createTensorData(datatype, length) as unknown[];
            for (const [i, element] of elements.entries()) data[i] = element;
            return { name: `tensor "${index}"`, datatype, shape, data } as unknown as Tensor;
          });
      }),
    ),
  );

function toSignature(all: readonly Tensor[]): TensorSignature {
  const inputs = all.map(({ name, datatype }) => ({ name, datatype, shape: undefined }));
  return { inputs, outputs: inputs };
}

function toWire({ chunks, headerLength }: EncodedBody) {
  return { body: Buffer.concat(chunks), header: headerLength?.toString() };
}

test("a server reads what our client sends, in JSON and as binary data", () => {
  const property = fc.property(tensors, fc.boolean(), (inputs, isBinary) => {
    const encoded = encodeInferRequest({ id: "é", inputs, outputs: ["a"] }, isBinary);
    const { body, header } = toWire(encoded);
    expect(countBytes(encoded)).toBe(body.byteLength);
    const decoded = decodeInfer(body, header, toSignature(inputs), { maxJsonDepth: 10 });
    expect(decoded.inputs).toEqual(inputs);
    expect(decoded.id).toBe("é");
    const binary = isBinary ? true : undefined;
    expect(decoded.outputs).toEqual([{ name: "a", binary, classification: undefined }]);
  });
  fc.assert(property, { numRuns: 300 });
});

test("our client reads what a server answers, in JSON, as binary data and in both", () => {
  const property = fc.property(tensors, fc.func(fc.boolean()), (outputs, isBinary) => {
    const answer = { model: "m", version: "1.0.0", id: "7", outputs };
    const { body, header } = toWire(encodeInfer(answer, isBinary));
    expect(decodeInferResponse(body, header)).toEqual(answer);
  });
  fc.assert(property, { numRuns: 300 });
});

/** A body in which some bytes are others, or are missing. */
const broken = fc
  .tuple(tensors, fc.boolean(), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))))
  .map(([inputs, isBinary, changes]) => {
    const { body, header } = toWire(encodeInferRequest({ inputs }, isBinary));
    for (const [at, byte] of changes) body[at % body.byteLength] = byte;
    return { body, header, inputs };
  });

const headers = fc.option(fc.oneof(fc.nat({ max: 400 }).map(String), fc.string()), {
  nil: undefined,
});

test("any bytes with any header are read or refused", () => {
  const property = fc.property(
    broken,
    fc.boolean(),
    headers,
    fc.uint8Array({ maxLength: 400 }),
    ({ body, header, inputs }, isNoise, otherHeader, noise) => {
      const bytes = isNoise ? noise : body;
      const length = isNoise ? otherHeader : header;
      for (const run of [
        () => decodeInfer(bytes, length, toSignature(inputs), { maxJsonDepth: 10 }),
        () => decodeInfer(bytes, otherHeader, toSignature(inputs), { maxJsonDepth: 10 }),
        () => decodeInferResponse(bytes, length),
      ]) {
        try {
          run();
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          expect(["invalid_argument", "unavailable"]).toContain(error.code);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test.each([
  ["brackets", "["],
  ["quotes", '"'],
  ["escapes in a text that does not end", '"\\"'],
  ["digits", "1"],
  ["digits behind the name of a 64-bit type", 'INT64"1111111111111111"'],
  ["inputs without anything", "{},"],
  ["nested empty lists", "[[],[]],"],
])("a large body of %s is refused in a moment", (_name, piece) => {
  const signature: TensorSignature = {
    inputs: [{ name: "x", datatype: "INT64", shape: undefined }],
    outputs: [{ name: "y", datatype: "INT64", shape: undefined }],
  };
  const body = Buffer.from(`{"inputs":[${piece.repeat(4e6 / piece.length)}`);
  const startedMs = performance.now();
  expect(() => decodeInfer(body, undefined, signature, { maxJsonDepth: 10 })).toThrow(SluiceError);
  // Two passes of a slow machine over 4 MB; anything quadratic takes hours.
  expect(performance.now() - startedMs).toBeLessThan(5000);
});
