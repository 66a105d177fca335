import { choice, integer, section, text } from "./setting.ts";

/** What computes models. */
export const deviceSettings = section("Which processor computes models.", {
  kind: choice(["cpu", "cuda", "tensorrt"], {
    default: "cpu",
    description:
      "`cuda` and `tensorrt` need an NVIDIA GPU and the provider of that name for ONNX Runtime.",
  }),
  index: integer({
    default: 0,
    minimum: 0,
    maximum: 1023,
    description: "Number of the GPU to use.",
  }),
  fallback: choice(["refuse", "cpu"], {
    default: "refuse",
    description:
      "What to do when the GPU or its provider is missing: fail with the way to install it, or run on the processor.",
  }),
  shapeProfile: text({
    default: "1x1 8x64 128x512",
    pattern:
      "^[1-9]\\d{0,5}x[1-9]\\d{0,5} [1-9]\\d{0,5}x[1-9]\\d{0,5} [1-9]\\d{0,5}x[1-9]\\d{0,5}$",
    patternMeaning: "three shapes, each as texts x tokens",
    description:
      "Smallest, most usual and largest batch, each as texts x tokens. TensorRT builds its engine for the smallest and the largest at start, so that traffic does not make it build again.",
  }),
});
