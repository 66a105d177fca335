import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../core/errors.ts";
import { ModelInferRequestSchema } from "../generated/open_inference_pb.ts";
import { PredictRequestSchema } from "../generated/tensorflow_serving_pb.ts";
import { createMessageDecoder } from "./message-decoder.ts";

const decodeInfer = createMessageDecoder(ModelInferRequestSchema);
const decodePredict = createMessageDecoder(PredictRequestSchema);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return "accepted";
}

/** A field of `bytes` within each of the fields `path`, outermost first. */
function nest(path: readonly number[], bytes: Uint8Array): Uint8Array {
  return path.reduceRight(
    (inner, field) => new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(inner).finish(),
    bytes,
  );
}

const repeat = (pattern: readonly number[], times: number) =>
  Uint8Array.from({ length: pattern.length * times }, (_, i) => pattern[i % pattern.length] ?? 0);

test("bytes are views of the message", () => {
  const message = create(ModelInferRequestSchema, { rawInputContents: [new Uint8Array(1000)] });
  const bytes = toBinary(ModelInferRequestSchema, message);
  expect(decodeInfer(bytes).rawInputContents[0]?.buffer).toBe(bytes.buffer);
});

test("fields that nobody knows are left out", () => {
  const message = decodeInfer(Uint8Array.of(0x0a, 1, 0x78, 0xf8, 0x07, 1));
  expect(message.modelName).toBe("x");
  expect(message.$unknown).toBeUndefined();
});

describe("a message is refused when", () => {
  test.each([
    ["a field is cut short", [0x0a, 5, 65]],
    ["a number is cut short", [0x0a, 0x80]],
    ["a number has more than ten bytes", [0x78, ...new Array<number>(11).fill(0xff)]],
    ["a field ends beyond its message", [0x2a, 2, 0x0a, 3, 65, 65, 65]],
    ["it has a group", [0x7b, 0x7c]],
    ["a text is no UTF-8", [0x0a, 1, 0xff]],
    ["a field has the number 0", [0x02, 0]],
  ])("%s", (_, bytes) => {
    expect(codeOf(() => decodeInfer(Uint8Array.from(bytes)))).toBe("invalid_argument");
  });
});

describe("a message of too many parts is refused before it is built:", () => {
  const many = 300_000;
  test.each<[string, () => unknown]>([
    ["inputs", () => decodeInfer(repeat([0x2a, 0], many))],
    ["raw contents", () => decodeInfer(repeat([0x3a, 0], many))],
    ["typed texts", () => decodeInfer(nest([5, 5], repeat([0x42, 0], many)))],
    ["packed 64-bit numbers", () => decodeInfer(nest([5, 5, 3], repeat([1], 16 * many)))],
    ["sizes of a shape", () => decodeInfer(nest([5, 3], repeat([1], 16 * many)))],
    ["sizes of a tensor in a map", () => decodePredict(nest([2, 2, 2], repeat([0x12, 0], many)))],
  ])("%s", (_, run) => {
    expect(codeOf(run)).toBe("too_large");
  });

  test("and many parts of ordinary size are none too many", () => {
    const text = [0x42, 20, ...new Array<number>(20).fill(65)];
    const message = decodeInfer(nest([5, 5], repeat(text, many)));
    expect(message.inputs[0]?.contents?.bytesContents).toHaveLength(many);
  });
});
