import type { DeviceOptions } from "../device.ts";

/** What ONNX Runtime calls a provider and its settings. */
export type ExecutionProvider =
  | "cpu"
  | { readonly name: "cuda" | "tensorrt"; readonly deviceId: number };

/**
 * The providers to ask for, best first. What TensorRT cannot take, CUDA computes, and what CUDA cannot, the processor.
 *
 * ONNX Runtime's binding for Node passes on the number of the GPU and nothing else (`session_options_helper.cc`), and a
 * provider that is set up that way does not read its environment variables either (`tensorrt_provider_factory.cc`). So
 * precision, engine cache and workspace of TensorRT cannot be set from here.
 */
export function toExecutionProviders(device: DeviceOptions): readonly ExecutionProvider[] {
  if (device.kind === "cpu") return ["cpu"];
  const cuda = { name: "cuda", deviceId: device.index } as const;
  if (device.kind === "cuda") return [cuda, "cpu"];
  return [{ name: "tensorrt", deviceId: device.index }, cuda, "cpu"];
}

/** What computes a model, for people, after the word `onnxruntime`. */
export function describeProvider(device: DeviceOptions): string {
  if (device.kind === "cpu") return "";
  if (device.kind === "cuda") return ` on cuda ${device.index}`;
  return ` on tensorrt ${device.index} (its own precision, workspace and engine cache: onnxruntime-node passes none on)`;
}

/** How to get what a device needs, for the message of a refusal. */
export function describeInstallation(kind: "cuda" | "tensorrt"): string {
  const tensorRt =
    kind === "tensorrt" ? ", TensorRT 10 (libnvinfer.so.10) on the library path" : "";
  return (
    `It needs Linux on x64, an NVIDIA driver, CUDA 12 and cuDNN 9${tensorRt}, and ONNX Runtime's GPU libraries beside its own: ` +
    "`ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node` fetches them. " +
    'Or set device.kind to "cpu", or device.fallback to "cpu".'
  );
}
