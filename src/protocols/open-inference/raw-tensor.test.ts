import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import { decodeRawTensor, encodeRawTensor } from "./raw-tensor.ts";

function refusalOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function decode(datatype: string, shape: readonly number[], bytes: readonly number[]): Tensor {
  return decodeRawTensor({ name: "x", datatype, shape }, Uint8Array.from(bytes));
}

describe("reading", () => {
  test("numbers are little-endian", () => {
    expect(decode("INT16", [2], [1, 0, 0xff, 0xff]).data).toEqual(Int16Array.of(1, -1));
    expect(decode("FP32", [1], [0, 0, 0x80, 0x3f]).data).toEqual(Float32Array.of(1));
    expect(decode("UINT64", [], [2, 0, 0, 0, 0, 0, 0, 0x80]).data).toEqual(
      BigUint64Array.of(2n ** 63n + 2n),
    );
    expect(decode("FP16", [1], [0, 0x3c]).data).toEqual(Uint16Array.of(0x3c00));
  });

  test("data is a view where it is aligned, and a copy where it is not", () => {
    const body = new Uint8Array(16);
    const aligned = decodeRawTensor(
      { name: "x", datatype: "FP32", shape: [2] },
      body.subarray(4, 12),
    );
    expect((aligned.data as Float32Array).buffer).toBe(body.buffer);
    expect((aligned.data as Float32Array).byteOffset).toBe(4);
    body[1] = 7;
    const shifted = decodeRawTensor(
      { name: "x", datatype: "INT32", shape: [2] },
      body.subarray(1, 9),
    );
    expect((shifted.data as Int32Array).buffer).not.toBe(body.buffer);
    expect(shifted.data).toEqual(Int32Array.of(7, 0));
  });

  test("bytes out of a Buffer become a Uint8Array that is none", () => {
    for (const datatype of ["UINT8", "BOOL"]) {
      const { data } = decodeRawTensor({ name: "x", datatype, shape: [3] }, Buffer.from([0, 1, 1]));
      expect(Buffer.isBuffer(data)).toBe(false);
      expect(data).toEqual(Uint8Array.of(0, 1, 1));
    }
    const odd = decodeRawTensor(
      { name: "x", datatype: "BYTES", shape: [1] },
      Buffer.from([1, 0, 0, 0, 0xff]),
    );
    expect(odd.data).toEqual([Uint8Array.of(0xff)]);
    expect(Buffer.isBuffer(odd.data[0])).toBe(false);
  });

  test("BYTES are texts where they are UTF-8, a byte order mark and U+FFFD included", () => {
    const texts = ["", "é", "\ufeffa", "\ufffd", "日本"];
    const bytes = encodeRawTensor({ name: "x", datatype: "BYTES", shape: [5], data: texts });
    expect(decodeRawTensor({ name: "x", datatype: "BYTES", shape: [5] }, bytes).data).toEqual(
      texts,
    );
  });

  test("a tensor without elements has no bytes", () => {
    expect(decode("FP64", [0, 4], []).data).toEqual(new Float64Array(0));
    expect(decode("BYTES", [2, 0], []).data).toEqual([]);
  });
});

describe("refusing", () => {
  test.each([
    ["too few bytes", "FP32", [2], [0, 0, 0, 0], "inputs.x has 4 bytes of raw data; FP32 [2]"],
    ["too many bytes", "INT8", [1], [0, 0], "inputs.x has 2 bytes of raw data; INT8 [1] takes 1"],
    ["a negative size", "INT8", [-1], [0], "inputs.x has the shape [-1]"],
    ["a broken size", "INT8", [0.5], [], "inputs.x has the shape [0.5]"],
    ["a shape beyond counting", "INT8", [65_536, 65_536], [], "inputs.x has the shape"],
    ["a rank beyond sense", "INT8", new Array<number>(33).fill(1), [0], "inputs.x has the shape"],
    ["a datatype of nobody", "FP8", [1], [0], "inputs.x has an unknown datatype; known are BOOL"],
    ["BF16", "BF16", [1], [0, 0], "inputs.x is BF16, which is not supported; send FP32"],
    ["a BOOL of 2", "BOOL", [2], [1, 2], "inputs.x holds a byte that is neither 0 nor 1"],
    ["a huge shape of texts", "BYTES", [2 ** 31 - 1], [0, 0, 0, 0], "inputs.x has 4 bytes"],
    ["a text cut short", "BYTES", [1], [2, 0, 0, 0, 65], "inputs.x ends within element 0 of 1"],
    ["a length cut short", "BYTES", [2], [1, 0, 0, 0, 65, 0, 0, 0], "inputs.x ends within elem"],
    ["a length beyond all", "BYTES", [1], [255, 255, 255, 255], "inputs.x ends within element 0"],
    ["bytes left over", "BYTES", [1], [0, 0, 0, 0, 9], "inputs.x has 1 bytes of raw data after"],
  ])("%s", (_, datatype, shape, bytes, message) => {
    const error = refusalOf(() => decode(datatype, shape, bytes));
    expect(error.code).toBe("invalid_argument");
    expect(error.details[0]?.field).toBe("inputs.x");
    expect(error.message).toContain(message);
  });

  test("a long name is cut in the message", () => {
    const head = { name: "n".repeat(100_000), datatype: "INT8", shape: [1] };
    const error = refusalOf(() => decodeRawTensor(head, new Uint8Array(0)));
    expect(error.message.length).toBeLessThan(200);
  });
});

describe("writing", () => {
  test("numbers are not copied, and only the tensor's own bytes go out", () => {
    const all = Float32Array.of(1, 2, 3, 4);
    const bytes = encodeRawTensor({
      name: "x",
      datatype: "FP32",
      shape: [2],
      data: all.subarray(1, 3),
    });
    expect(bytes.buffer).toBe(all.buffer);
    expect([bytes.byteOffset, bytes.byteLength]).toEqual([4, 8]);
  });

  test("every text has its length in bytes in front", () => {
    const data = ["é", Uint8Array.of(0xff)];
    const bytes = encodeRawTensor({ name: "x", datatype: "BYTES", shape: [2], data });
    expect([...bytes]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 1, 0, 0, 0, 0xff]);
  });
});
