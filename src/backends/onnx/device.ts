/** A batch shape, for engines that are built for certain sizes. */
export interface BatchShape {
  readonly batch: number;
  readonly tokens: number;
}

/** What computes a model. Defaults and meanings: `device` in the configuration reference. */
export type DeviceOptions =
  | { readonly kind: "cpu" }
  | {
      readonly kind: "cuda" | "tensorrt";
      /** Number of the GPU. */
      readonly index: number;
      /** What to do when the GPU or its provider is missing. */
      readonly fallback: "refuse" | "cpu";
      /** TensorRT only: batches that it should be ready for. */
      readonly shapes:
        | { readonly min: BatchShape; readonly opt: BatchShape; readonly max: BatchShape }
        | undefined;
    };

export const CPU: DeviceOptions = { kind: "cpu" };

/**
 * Batches that a device must have seen before it serves. TensorRT builds an engine for the range of shapes that it has
 * met and builds it anew, which takes minutes, for every shape outside; the smallest and the largest span the range.
 */
export function toFirstShapes(device: DeviceOptions): readonly BatchShape[] {
  if (device.kind !== "tensorrt" || device.shapes === undefined) return [];
  return [device.shapes.min, device.shapes.max];
}
