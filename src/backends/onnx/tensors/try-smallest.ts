import type { Tensor, TensorData, TensorSpec } from "../../../core/ports/tensor.ts";
import type { TensorRunner } from "./tensor-runner.ts";

/** What one run costs, as far as zeros can tell. */
export interface SmallestRun {
  readonly ms: number;
  /** Elements of all inputs. */
  readonly elements: number;
}

/** Measuring goes on until this time is over: it is part of starting. */
const BUDGET_MS = 40;
const MAX_RUNS = 20;
/** Larger inputs than this are not made up only to try a model. */
const MAX_ELEMENTS = 16 * 1024 * 1024;

const ZEROS: { readonly [D in keyof TensorData]: (elements: number) => TensorData[D] } = {
  BOOL: (elements) => new Uint8Array(elements),
  UINT8: (elements) => new Uint8Array(elements),
  UINT16: (elements) => new Uint16Array(elements),
  UINT32: (elements) => new Uint32Array(elements),
  UINT64: (elements) => new BigUint64Array(elements),
  INT8: (elements) => new Int8Array(elements),
  INT16: (elements) => new Int16Array(elements),
  INT32: (elements) => new Int32Array(elements),
  INT64: (elements) => new BigInt64Array(elements),
  FP16: (elements) => new Uint16Array(elements),
  FP32: (elements) => new Float32Array(elements),
  FP64: (elements) => new Float64Array(elements),
  BYTES: (elements) => new Array<string>(elements).fill(""),
};

/** Zeros, or empty texts, of the smallest shape: 1 wherever the caller may choose. */
export function createSmallestInput({ name, datatype, shape }: TensorSpec): Tensor {
  const sizes = (shape ?? [1]).map((size) => size ?? 1);
  const elements = sizes.reduce((product, size) => product * size, 1);
  return { name, datatype, shape: sizes, data: ZEROS[datatype](elements) } as Tensor;
}

/**
 * Warms a runner up and times it with the smallest inputs. What counts is the fastest run: on a busy machine the others
 * tell how busy it is.
 *
 * @returns undefined when the model refuses them. Nothing is wrong then: zeros of size 1 make no sense to many a model.
 */
export async function trySmallest(
  runner: Pick<TensorRunner, "signature" | "run">,
  nowMs: () => number = () => performance.now(),
): Promise<SmallestRun | undefined> {
  const { signature } = runner;
  const sizes = signature.inputs.map(({ shape }) =>
    (shape ?? []).reduce<number>((product, size) => product * (size ?? 1), 1),
  );
  const elements = sizes.reduce((sum, size) => sum + size, 0);
  if (elements > MAX_ELEMENTS) return undefined;
  const inputs = signature.inputs.map(createSmallestInput);
  const outputs = signature.outputs.map(({ name }) => name);
  const startedMs = nowMs();
  let ms = Number.POSITIVE_INFINITY;
  try {
    for (let run = 0; run < MAX_RUNS; run++) {
      const runStartedMs = nowMs();
      await runner.run(inputs, outputs);
      const endedMs = nowMs();
      // The first run warms up; it counts only when it is the only one.
      ms = Math.min(run === 1 ? Number.POSITIVE_INFINITY : ms, endedMs - runStartedMs);
      if (endedMs - startedMs > BUDGET_MS) break;
    }
  } catch {
    return undefined;
  }
  return { ms, elements: Math.max(1, elements) };
}
