import { expect, test } from "vitest";
import type { DeviceOptions } from "./device.ts";
import { CPU, toFirstShapes } from "./device.ts";

const shapes = {
  min: { batch: 1, tokens: 1 },
  opt: { batch: 8, tokens: 64 },
  max: { batch: 128, tokens: 512 },
};
const gpu = {
  index: 0,
  fallback: "refuse",
} as const;

test("TensorRT is shown the smallest and the largest batch before it serves", () => {
  const device: DeviceOptions = { ...gpu, kind: "tensorrt", shapes };
  expect(toFirstShapes(device)).toEqual([shapes.min, shapes.max]);
  expect(toFirstShapes({ ...device, shapes: undefined })).toEqual([]);
});

test("nothing else is built for certain shapes", () => {
  expect(toFirstShapes(CPU)).toEqual([]);
  expect(toFirstShapes({ ...gpu, kind: "cuda", shapes })).toEqual([]);
});
