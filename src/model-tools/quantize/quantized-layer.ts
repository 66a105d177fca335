import type { AffineScale } from "./affine-scale.ts";
import type { LinearLayer } from "./linear-layers.ts";
import type { QuantizedWeights } from "./quantize-weights.ts";

/** A linear layer with its weights in bytes. */
export interface QuantizedLayer {
  readonly layer: LinearLayer;
  /** Of the layer's matrix, its rows multiplied by the divisors of the input where there are some. */
  readonly weights: QuantizedWeights;
  /** Replaces the layer's own bias; undefined when nothing is to be added. */
  readonly bias: Float32Array | undefined;
  /**
   * Whether what is left of the input after rounding is rounded and multiplied once more, with the same weights: sixteen
   * bits for the activation, at the price of a second product. Not for dynamic scales.
   */
  readonly isFine: boolean;
}

/** A value of the graph that becomes bytes once, for all layers that read it. */
export interface QuantizedInput {
  readonly value: string;
  /** Constant; or undefined when the scale is computed from every batch anew. */
  readonly scale: AffineScale | undefined;
  /** What each channel of the value is divided by before; see `smoothing-divisors.ts`. */
  readonly divisors: Float32Array | undefined;
  readonly layers: readonly QuantizedLayer[];
}

/**
 * How quantized layers are written.
 *
 * - `fused`: MatMulIntegerToFloat of ONNX Runtime, the bias inside.
 * - `portable`: QuantizeLinear and DequantizeLinear around ordinary operators (operator set 17). A runtime that knows the
 *   pattern computes in bytes; every other one still gets the same results up to rounding.
 */
export type QuantizedForm = "fused" | "portable";
