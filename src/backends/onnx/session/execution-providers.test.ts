import { describe, expect, test } from "vitest";
import type { DeviceOptions } from "../device.ts";
import { CPU } from "../device.ts";
import {
  describeInstallation,
  describeProvider,
  toExecutionProviders,
} from "./execution-providers.ts";

// What is not tested anywhere: a run on a GPU. This suite holds what is asked of ONNX Runtime;
// `test/conformance/backend-loading.test.ts` holds what happens where there is none.

function gpu(kind: "cuda" | "tensorrt"): DeviceOptions {
  return {
    kind,
    index: 3,
    fallback: "refuse",
    shapes: undefined,
  };
}

describe("what is asked of ONNX Runtime", () => {
  test("the processor alone", () => {
    expect(toExecutionProviders(CPU)).toEqual(["cpu"]);
  });

  test("CUDA on the chosen GPU, the processor for the rest", () => {
    expect(toExecutionProviders(gpu("cuda"))).toEqual([{ name: "cuda", deviceId: 3 }, "cpu"]);
  });

  test("TensorRT first, then CUDA, on the same GPU", () => {
    expect(toExecutionProviders(gpu("tensorrt"))).toEqual([
      { name: "tensorrt", deviceId: 3 },
      { name: "cuda", deviceId: 3 },
      "cpu",
    ]);
  });
});

describe("what people are told", () => {
  test("settings that do not reach TensorRT are not passed over in silence", () => {
    expect(describeProvider(CPU)).toBe("");
    expect(describeProvider(gpu("cuda"))).toBe(" on cuda 3");
    expect(describeProvider(gpu("tensorrt"))).toMatch(/tensorrt 3.*precision.*passes none on/);
  });

  test("what to install names the libraries and the command", () => {
    expect(describeInstallation("cuda")).toMatch(/CUDA 12.*cuDNN 9.*npm rebuild onnxruntime-node/);
    expect(describeInstallation("tensorrt")).toMatch(/libnvinfer\.so\.10/);
  });
});
