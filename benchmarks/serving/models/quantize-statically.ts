import type { ModelProto } from "../../../src/generated/onnx_pb.ts";
import { buildQuantizedModel } from "../../../src/model-tools/quantize/build-quantized-model.ts";
import { openCalibration } from "../../../src/model-tools/quantize/calibration.ts";
import { findLinearLayers } from "../../../src/model-tools/quantize/linear-layers.ts";
import { FULL_RANGE } from "../../../src/model-tools/quantize/quantize-weights.ts";

/** Unused by the method below, but asked for. */
const PERCENTILE = 99.99;

/**
 * The model with INT8 weights and constant activation scales, as `sluice quantize` makes it with its plainest recipe. No
 * gate is held: made-up weights have no accuracy that could be lost.
 *
 * @param bytes the float model, as a file
 * @param model the same, parsed
 * @param texts ids to calibrate with
 */
export async function quantizeStatically(
  bytes: Uint8Array,
  { graph }: ModelProto,
  texts: readonly Int32Array[],
): Promise<Uint8Array> {
  const calibration = await openCalibration({
    model: bytes,
    layers: graph === undefined ? [] : findLinearLayers(graph),
    texts,
    percentile: PERCENTILE,
    padId: 0,
    threads: 1,
  });
  try {
    return await buildQuantizedModel(bytes, calibration, {
      method: "min-max",
      isSmoothed: false,
      correctsBias: false,
      form: "fused",
      largestWeight: FULL_RANGE,
      quantizesEmbeddings: true,
      floatLayers: new Set(),
    });
  } finally {
    await calibration.close();
  }
}
