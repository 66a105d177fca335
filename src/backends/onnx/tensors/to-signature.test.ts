import { describe, expect, test } from "vitest";
import { toSignature } from "./to-signature.ts";

const tensor = (name: string, type: string, shape: readonly (number | string)[]) =>
  ({ name, isTensor: true, type, shape }) as Parameters<typeof toSignature>[0][number];
const sequence = (name: string) => ({ name, isTensor: false }) as const;

describe("what ONNX Runtime says of a graph", () => {
  test("becomes names, datatypes and sizes, open ones null", () => {
    const found = toSignature(
      [tensor("x", "float32", ["N", 4]), tensor("t", "string", ["", -1])],
      [tensor("y", "int64", [1])],
    );
    expect(found).toEqual({
      signature: {
        inputs: [
          { name: "x", datatype: "FP32", shape: [null, 4] },
          { name: "t", datatype: "BYTES", shape: [null, null] },
        ],
        outputs: [{ name: "y", datatype: "INT64", shape: [1] }],
      },
      leftOut: [],
    });
  });

  test("without any sizes leaves the shape to the caller", () => {
    const { signature } = toSignature([tensor("x", "bool", [])], [tensor("y", "uint8", [])]);
    expect(signature.inputs).toEqual([{ name: "x", datatype: "BOOL", shape: undefined }]);
  });

  test("with outputs that are no tensors of a known datatype leaves these out, by name", () => {
    const { signature, leftOut } = toSignature(
      [tensor("x", "float32", [1])],
      [sequence("maps"), tensor("y", "float32", [1]), tensor("b", "bfloat16", [1])],
    );
    expect(signature.outputs.map(({ name }) => name)).toEqual(["y"]);
    expect(leftOut).toEqual(["maps", "b"]);
  });

  test.each([
    ["no inputs", [], [tensor("y", "float32", [1])], /has no inputs/],
    [
      "an input that is no tensor",
      [sequence("s")],
      [tensor("y", "float32", [])],
      /"s" \(no tensor\)/,
    ],
    [
      "an input of odd numbers",
      [tensor("x", "int4", [1])],
      [tensor("y", "float32", [1])],
      /"x" int4/,
    ],
    [
      "no output to answer with",
      [tensor("x", "float32", [1])],
      [sequence("s")],
      /No output is .*"s"/,
    ],
  ])("with %s is refused", (_name, inputs, outputs, reason) => {
    expect(() => toSignature(inputs, outputs)).toThrow(
      expect.objectContaining({ code: "invalid_argument", message: expect.stringMatching(reason) }),
    );
  });
});
