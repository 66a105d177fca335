import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor, TensorDatatype, TensorSignature } from "../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { createTensorData } from "../../core/tensors/tensor-data.ts";
import { decodeExamples } from "./decode-examples.ts";
import { decodeMetadata } from "./decode-metadata.ts";
import { decodePredict } from "./decode-predict.ts";
import { decodePredictResponse } from "./decode-predict-response.ts";
import { encodeMetadata } from "./encode-metadata.ts";
import { encodePredict } from "./encode-predict.ts";
import { encodePredictRequest } from "./encode-predict-request.ts";

/** A value that the datatype holds, from any whole number and any fraction. */
function elementOf(
  datatype: TensorDatatype,
  whole: number,
  real: number,
  text: string | Uint8Array,
) {
  if (datatype === "BYTES") return text;
  if (datatype === "BOOL") return whole & 1;
  if (datatype === "INT64") return BigInt(whole) * 9_007_199_254n;
  if (datatype === "UINT64") return BigInt(Math.abs(whole)) * 9_007_199_254n;
  if (datatype === "FP16") return [0, 0x3c00, 0xc000, 0x7c00, 0xfc00, 0x7e00][Math.abs(whole) % 6];
  return datatype.startsWith("FP") ? real : whole;
}

const element = fc.record({
  whole: fc.integer(),
  real: fc.double(),
  text: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 4 }).filter((bytes) => !isText(bytes)),
  ),
});

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const shape = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });
const tensorOf = (name: string): fc.Arbitrary<Tensor> =>
  fc
    .tuple(fc.constantFrom(...TENSOR_DATATYPES), shape, fc.infiniteStream(element))
    .map(([datatype, sizes, elements]) => {
      const data = createTensorData(
        datatype,
        sizes.reduce((a, b) => a * b, 1),
      ) as unknown[];
      for (let i = 0; i < data.length; i++) {
        const { whole, real, text } = elements.next().value as {
          whole: number;
          real: number;
          text: string | Uint8Array;
        };
        const value = typeof text === "string" ? text.toWellFormed() : text;
        data[i] = elementOf(datatype, whole, real, value);
      }
      return { name, datatype, shape: sizes, data } as unknown as Tensor;
    });

const toSignature = (tensors: readonly Tensor[]): TensorSignature => {
  const specs = tensors.map(({ name, datatype, shape: sizes }) => ({
    name,
    datatype,
    shape: sizes.map(() => null),
  }));
  return { inputs: specs, outputs: specs };
};

const tensors = fc
  .uniqueArray(fc.constantFrom("a", "b", "名"), { minLength: 1 })
  .chain((names) => fc.tuple(...names.map(tensorOf)));

test("tensors of every datatype and shape come out of a request as they went in", () => {
  fc.assert(
    fc.property(tensors, (sent) => {
      const body = Buffer.from(encodePredictRequest(sent));
      const decoded = decodePredict(body, toSignature(sent), { maxDepth: 32 });
      expect(decoded.form).toBe("column");
      expect(decoded.inputs).toEqual(sent);
    }),
  );
});

test("tensors of every datatype and shape come out of an answer as they went in", () => {
  fc.assert(
    fc.property(tensors, (sent) => {
      const text = encodePredict(sent, { form: "column", rows: 0, strictJson: false });
      expect(decodePredictResponse(Buffer.from(text), toSignature(sent))).toEqual(sent);
    }),
  );
});

test("rows say the same as columns", () => {
  fc.assert(
    fc.property(tensorOf("a"), ({ shape: sizes, ...tensor }) => {
      const sent = { ...tensor, shape: sizes } as Tensor;
      const [rows = 0] = sizes;
      const text = encodePredict([sent], { form: "row", rows, strictJson: false });
      const body = text.replace('"predictions"', '"instances"');
      expect(decodePredict(Buffer.from(body), toSignature([sent]), { maxDepth: 32 })).toEqual({
        form: "row",
        inputs: [sent],
        rows,
      });
    }),
  );
});

test("a signature comes out of its metadata as it went in", () => {
  fc.assert(
    fc.property(tensors, (sent) => {
      const signature = toSignature(sent);
      const body = Buffer.from(encodeMetadata("m", "1", signature));
      expect(decodeMetadata(body, "serving_default")).toEqual(signature);
    }),
  );
});

test("whatever the bytes are, the answer is a request or a refusal", () => {
  const signature: TensorSignature = {
    inputs: [
      { name: "a", datatype: "FP32", shape: [null, 2] },
      { name: "b", datatype: "BYTES", shape: [null], isOptional: true },
    ],
    outputs: [{ name: "y", datatype: "FP32", shape: [null] }],
  };
  const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
  const near = fc
    .record(
      {
        instances: fc.jsonValue(),
        inputs: fc.jsonValue(),
        examples: fc.jsonValue(),
        signature_name: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => Buffer.from(JSON.stringify(value)));
  fc.assert(
    fc.property(fc.oneof(json, near, fc.uint8Array()), (body) => {
      for (const decode of [
        () => decodePredict(body, signature, { maxDepth: 32 }),
        () => decodeExamples(body, 32),
        () => decodePredictResponse(body, signature),
        () => decodeMetadata(body, "serving_default"),
      ]) {
        try {
          decode();
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
