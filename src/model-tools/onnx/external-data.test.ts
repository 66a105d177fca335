import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { TensorProto } from "../../generated/onnx_pb.ts";
import {
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../generated/onnx_pb.ts";
import { parseExternalPlace, planOffsets } from "./external-data.ts";

function createExternal(fields: Readonly<Record<string, string>>): TensorProto {
  return create(TensorProtoSchema, {
    name: "w",
    dims: [2n, 3n],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(fields).map(([key, value]) => ({ key, value })),
  });
}

test("what a tensor does not state about its place has a default", () => {
  expect(parseExternalPlace(createExternal({ location: "a/./b.data" }))).toEqual({
    location: "a/b.data",
    offset: 0,
    length: 24,
  });
  const stated = { location: "w.data", offset: "8589934592", length: "24" };
  expect(parseExternalPlace(createExternal(stated))).toEqual({
    location: "w.data",
    offset: 2 ** 33,
    length: 24,
  });
});

const outside = [
  "../secret",
  "a/../../secret",
  "/etc/passwd",
  "..",
  ".",
  "",
  "C:\\secret",
  "C:secret",
  "..\\secret",
  "a\0b",
];
for (const location of outside) {
  test(`the location ${JSON.stringify(location)} is refused`, () => {
    expect(() => parseExternalPlace(createExternal({ location }))).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        message: expect.stringContaining("no path below the model's folder"),
      }),
    );
  });
}

test("sizes that are none, or do not fit the dimensions, are refused", () => {
  const place = (fields: Readonly<Record<string, string>>) => () =>
    parseExternalPlace(createExternal({ location: "w.data", ...fields }));
  expect(place({ offset: "-1" })).toThrow('the offset "-1"');
  expect(place({ offset: "1e3" })).toThrow('the offset "1e3"');
  expect(place({ length: "23" })).toThrow("24 bytes by type and dimensions, but 23 are stated");
});

test("offsets are at page borders and do not overlap, also beyond what 32 bits hold", () => {
  const gigabyte = 2 ** 30;
  expect(planOffsets([1, 4096, 4097, 0, 5])).toEqual([0, 4096, 8192, 16_384, 16_384]);
  expect(planOffsets([3 * gigabyte + 1, 2 * gigabyte, 7])).toEqual([
    0,
    3 * gigabyte + 4096,
    5 * gigabyte + 4096,
  ]);
});
