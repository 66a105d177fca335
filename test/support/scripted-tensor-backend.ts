import { SluiceError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/core/ports/clock.ts";
import type { RunOptions } from "../../src/core/ports/run-options.ts";
import type { Tensor, TensorSignature } from "../../src/core/ports/tensor.ts";
import type { TensorBackend } from "../../src/core/ports/tensor-backend.ts";

/** A value that makes every run fail which holds it. */
export const POISON = -666;

export interface ScriptedTensorOptions {
  readonly clock: Clock;
  readonly slots?: number;
  readonly parallelRuns?: number;
  readonly runMs?: () => number;
  readonly measuredRunMs?: number | undefined;
}

/** Doubles `x`, FP32 `[rows]`, into `y`. Runs take as long as the script says, fail on poison, and are recorded. */
export class ScriptedTensorBackend implements TensorBackend {
  readonly signature: TensorSignature = {
    inputs: [{ name: "x", datatype: "FP32", shape: [null] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [null] }],
  };
  readonly slots: number;
  readonly parallelRuns: number;
  readonly measuredRunMs: number | undefined;
  readonly description = "scripted";
  /** The values of each run, in the order in which they began. */
  readonly runs: number[][] = [];
  /** Whether each run was for copies. */
  readonly copies: boolean[] = [];
  mostInFlight = 0;
  #inFlight = 0;
  readonly #clock: Clock;
  readonly #runMs: () => number;

  constructor({
    clock,
    slots = 1,
    parallelRuns,
    runMs = () => 10,
    measuredRunMs,
  }: ScriptedTensorOptions) {
    this.#clock = clock;
    this.slots = slots;
    this.parallelRuns = parallelRuns ?? slots;
    this.#runMs = runMs;
    this.measuredRunMs = measuredRunMs;
  }

  async run(
    inputs: readonly Tensor[],
    _outputs: readonly string[],
    { isCopy }: RunOptions = { isCopy: false },
  ): Promise<readonly Tensor[]> {
    this.#inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const values = Array.from(inputs[0]?.data ?? [], Number);
    this.runs.push(values);
    this.copies.push(isCopy);
    await new Promise<void>((resolve) => this.#clock.setTimer(this.#runMs(), resolve));
    this.#inFlight--;
    if (values.includes(POISON)) throw new SluiceError("model_failed", "Poisoned.");
    const data = Float32Array.from(values, (value) => 2 * value);
    return [{ name: "y", datatype: "FP32", shape: [values.length], data }];
  }

  async close(): Promise<void> {}
}
