import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import { encodeInfer } from "./encode-infer.ts";
import { encodeInferRequest } from "./encode-infer-request.ts";

const SCORE: Tensor = {
  name: "score",
  datatype: "FP32",
  shape: [2],
  data: new Float32Array([0.5, -0]),
};
const LABEL: Tensor = { name: "label", datatype: "BYTES", shape: [2], data: ["é", ""] };
const ANSWER = { model: "m", version: "1.0.0", id: undefined, outputs: [LABEL, SCORE] };

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("not refused");
}

test("an answer in JSON has flat data and no id that nobody sent", () => {
  const { chunks, headerLength } = encodeInfer(ANSWER, () => false);
  expect(headerLength).toBeUndefined();
  expect(Buffer.concat(chunks).toString()).toBe(
    '{"model_name":"m","model_version":"1.0.0","outputs":[' +
      '{"name":"label","datatype":"BYTES","shape":[2],"data":["é",""]},' +
      '{"name":"score","datatype":"FP32","shape":[2],"data":[0.5,-0.0]}]}',
  );
});

test("binary outputs follow the JSON, which ends where their elements are aligned", () => {
  const { chunks, headerLength = 0 } = encodeInfer({ ...ANSWER, id: "7" }, (n) => n === "score");
  const body = Buffer.concat(chunks);
  expect(headerLength % 8).toBe(0);
  expect(body.byteLength).toBe(headerLength + 8);
  expect(JSON.parse(body.subarray(0, headerLength).toString())).toEqual({
    model_name: "m",
    model_version: "1.0.0",
    id: "7",
    outputs: [
      { name: "label", datatype: "BYTES", shape: [2], data: ["é", ""] },
      { name: "score", datatype: "FP32", shape: [2], parameters: { binary_data_size: 8 } },
    ],
  });
  expect(body.readFloatLE(headerLength)).toBe(0.5);
});

test("a binary output is sent from the memory that the model wrote", () => {
  const { chunks } = encodeInfer(ANSWER, () => true);
  expect(chunks.at(-1)?.buffer).toBe((SCORE.data as Float32Array).buffer);
});

test("what JSON cannot hold is refused with the way out, and sent as binary data", () => {
  const nothing: Tensor = { ...SCORE, datatype: "FP32", data: new Float32Array([1, Number.NaN]) };
  const noText: Tensor = { ...LABEL, datatype: "BYTES", data: ["a", new Uint8Array([255])] };
  const encode = (outputs: readonly Tensor[], isBinary: boolean) =>
    encodeInfer({ ...ANSWER, outputs }, () => isBinary);
  expect(refusalOf(() => encode([nothing], false))).toBe(
    "outputs.score holds NaN or an infinity, which JSON has no number for; ask for it with the parameter binary_data: true.",
  );
  expect(refusalOf(() => encode([noText], false))).toContain("holds bytes that are no text");
  expect(encode([nothing, noText], true).headerLength).toBeGreaterThan(0);
  expect(refusalOf(() => encodeInferRequest({ inputs: [nothing] }, false))).toContain(
    "the server reads no binary tensors",
  );
});

test("a request without names of outputs asks for all of them as binary data", () => {
  const { chunks, headerLength } = encodeInferRequest({ inputs: [SCORE] }, true);
  const json = Buffer.concat(chunks).subarray(0, headerLength).toString();
  expect(JSON.parse(json)).toEqual({
    parameters: { binary_data_output: true },
    inputs: [{ name: "score", datatype: "FP32", shape: [2], parameters: { binary_data_size: 8 } }],
  });
});
