import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor, TensorDatatype, TensorSignature } from "../../core/ports/tensor.ts";
import { decodeTensorRequest, decodeTensors, isTensorBody } from "./decode-tensors.ts";
import { encodeTensors } from "./encode-tensors.ts";
import { readElements } from "./read-elements.ts";

const SIGNATURE: TensorSignature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [null, 2] },
    { name: "n", datatype: "INT64", shape: undefined },
  ],
  outputs: [{ name: "y", datatype: "FP32", shape: [null] }],
};

function listProblems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    expect(error.code).toBe("invalid_argument");
    return error.details.map(({ field, problem }) => `${field} ${problem}`);
  }
  throw new Error("It was accepted.");
}

describe("a body of tensors", () => {
  test("is told from one of texts by its inputs", () => {
    expect(isTensorBody({ inputs: {} })).toBe(true);
    for (const body of [{ inputs: [] }, { inputs: null }, { inputs: "a" }, {}, null, 1, []]) {
      expect(isTensorBody(body)).toBe(false);
    }
  });

  test("says which model, outputs and lane are meant, or leaves it open", () => {
    const open = { model: undefined, version: undefined, lane: "online", outputs: undefined };
    expect(decodeTensorRequest({ inputs: { x: 1 } })).toEqual({ ...open, inputs: { x: 1 } });
    const body = { inputs: {}, model: "m", model_version: "1.0.0", lane: "bulk", outputs: ["y"] };
    expect(decodeTensorRequest(body)).toEqual({
      inputs: {},
      model: "m",
      version: "1.0.0",
      lane: "bulk",
      outputs: ["y"],
    });
  });

  test("with several wrong fields has all of them named", () => {
    const body = { inputs: {}, outputs: "y", lane: "fast", top_k: 3 };
    expect(listProblems(() => decodeTensorRequest(body))).toEqual([
      expect.stringMatching(/^lane must be one of/),
      expect.stringMatching(/^outputs must be a list of names/),
      expect.stringMatching(/^top_k is not a field/),
    ]);
  });
});

describe("tensors", () => {
  test("are read flat, nested and as they are, in the order of the signature", () => {
    const x = { name: "x", datatype: "FP32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
    const n = { name: "n", datatype: "INT64", shape: [], data: BigInt64Array.of(5n) };
    const nested = [
      [1, 2],
      [3, 4],
    ];
    for (const form of [nested, { data: nested }, { data: [1, 2, 3, 4], shape: [2, 2] }]) {
      expect(decodeTensors({ n: 5, x: form }, SIGNATURE)).toEqual([x, n]);
    }
    expect(decodeTensors({ n: { data: "5", shape: [] }, x: nested }, SIGNATURE)).toEqual([x, n]);
  });

  test("keep the datatype that is stated, for the core to judge", () => {
    const [x] = decodeTensors({ x: { datatype: "INT8", data: [[1, 2]] }, n: 1 }, SIGNATURE);
    expect(x).toMatchObject({ datatype: "INT8", data: Int8Array.of(1, 2) });
  });

  test("of no rows need their shape stated", () => {
    const [x] = decodeTensors({ x: { shape: [0, 2], data: [] }, n: 1 }, SIGNATURE);
    expect(x).toMatchObject({ shape: [0, 2], data: new Float32Array(0) });
  });

  test("with wrong elements name the first of each input by its place", () => {
    const inputs = {
      x: [
        [1, 2],
        [3, "4"],
        [5, null],
        ["6", 7],
      ],
      n: { data: [1, [2]], shape: [2] },
    };
    expect(listProblems(() => decodeTensors(inputs, SIGNATURE))).toEqual([
      "inputs.x[1][1] must be a number up to 3.4e38, or null for NaN; found a string of length 1",
      expect.stringMatching(
        /^inputs\.n\.data\[1\] must be a whole number of 64 bits.*found a list/,
      ),
    ]);
  });
});

describe("one element", () => {
  const read = (datatype: TensorDatatype, value: unknown) => {
    const found = readElements([value], [1], datatype);
    return "data" in found ? found.data[0] : "refused";
  };

  test.each<[TensorDatatype, readonly unknown[], readonly unknown[]]>([
    ["BOOL", [true, false, 1, 0], ["true", 2, null]],
    ["UINT8", [0, 255], [-1, 256, 1.5, "1", null]],
    ["UINT16", [65_535], [65_536]],
    ["UINT32", [4_294_967_295], [4_294_967_296]],
    ["UINT64", [0, "18446744073709551615"], [-1, "18446744073709551616", 2 ** 53, "1.0", ""]],
    ["INT8", [-128, 127], [-129, 128]],
    ["INT16", [-32_768, 32_767], [32_768]],
    ["INT32", [-2_147_483_648], [2_147_483_648]],
    ["INT64", ["-9223372036854775808", 7], ["9223372036854775808", 2 ** 53, 0.5, "0x1", null]],
    ["FP16", [65_504, -0.5, null], [65_505, "1"]],
    ["FP32", [1e38, null], [1e39, true]],
    ["FP64", [1e308, null], ["1", [1]]],
    ["BYTES", ["", "坏"], [1, null]],
  ])("%s takes what it can hold and nothing else", (datatype, right, wrong) => {
    for (const value of right) expect(read(datatype, value), String(value)).not.toBe("refused");
    for (const value of wrong) expect(read(datatype, value), String(value)).toBe("refused");
  });

  test("null is NaN", () => {
    expect(read("FP32", null)).toBeNaN();
    expect(read("FP16", null)).toBe(0x7e00);
  });
});

test("a body that states or starts a huge tensor is refused before memory is taken for it", () => {
  const wide = [new Array(40_000).fill(1), ...new Array(39_999).fill([])];
  expect(readElements(wide, [40_000, 40_000], "FP64")).toMatchObject({ path: "[1]" });
  expect(readElements([1], [2 ** 30], "FP64")).toMatchObject({
    problem: expect.stringMatching(/1/),
  });
});

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  BYTES: fc.string(),
  BOOL: fc.boolean(),
};

test("what is encoded decodes to the same tensor", () => {
  const anyTensor = fc
    .record({
      datatype: fc.constantFrom(
        "FP32",
        "FP64",
        "INT64",
        "BYTES",
        "BOOL",
      ) as fc.Arbitrary<TensorDatatype>,
      shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    })
    .chain(({ datatype, shape }) => {
      const elements = shape.reduce((product, size) => product * size, 1);
      const length = { minLength: elements, maxLength: elements };
      return fc
        .array(SCALARS[datatype] ?? fc.constant(0), length)
        .map((data) => ({ datatype, shape, data }));
    });
  fc.assert(
    fc.property(anyTensor, (wire) => {
      const read = readElements(wire.data, wire.shape, wire.datatype);
      if ("problem" in read) throw new Error(`${read.path} ${read.problem}`);
      const { datatype, shape } = wire;
      const tensor = { name: 'a "name"', datatype, shape, data: read.data } as Tensor;
      const times = { queueMs: 0, inferMs: 0, durationMs: 1 };
      const result = { model: "m", version: "1.0.0", outputs: [tensor], ...times };
      const text = encodeTensors(result, { requestId: "r", timestamp: "t" });
      // Parsers of JavaScript round what has more than 53 bits, so these digits are made strings for it.
      const safe =
        datatype === "INT64" ? text.replace(/(?<=[[,])-?\d{16,}(?=[\],])/g, '"$&"') : text;
      const { outputs } = JSON.parse(safe) as { outputs: Record<string, typeof wire> };
      const answered = outputs['a "name"'];
      expect(answered?.shape).toEqual(shape);
      const again = readElements(answered?.data, shape, datatype);
      // Zero has one sign in JSON's integers, and so may lose it.
      expect(JSON.stringify(toPlain(again))).toBe(JSON.stringify(toPlain(read)));
    }),
  );
});

function toPlain(read: ReturnType<typeof readElements>): readonly string[] {
  return "data" in read ? Array.from<unknown>(read.data as unknown[]).map((v) => String(v)) : [];
}

test("whatever stands in the place of tensors is read or refused, and never breaks anything", () => {
  const anyInputs = fc.record({ x: fc.jsonValue(), n: fc.jsonValue() }, { requiredKeys: [] });
  fc.assert(
    fc.property(anyInputs, (inputs) => {
      try {
        for (const { shape, data } of decodeTensors(inputs as Record<string, unknown>, SIGNATURE)) {
          expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
        }
      } catch (error) {
        expect(error).toMatchObject({ name: "SluiceError", code: "invalid_argument" });
      }
    }),
    { numRuns: 1000 },
  );
});
