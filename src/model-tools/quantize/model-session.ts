import type { InferenceSession, Tensor } from "onnxruntime-node";
import { SluiceError } from "../../core/errors.ts";
import { loadOnnxRuntime, openOrtSession } from "../onnx/onnx-runtime.ts";

/** A value that a model computed. */
export interface ModelValue {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** A model in memory that runs batches of ids. */
export interface ModelSession {
  /** Names of what it computes, in the order of the graph. */
  readonly outputs: readonly string[];
  /** Runs one batch, short rows padded. Values by name: those of `wanted`, or all. */
  run(
    batch: readonly Int32Array[],
    wanted?: readonly string[],
  ): Promise<Readonly<Record<string, ModelValue>>>;
  close(): Promise<void>;
}

export interface ModelSessionOptions {
  /** Id that fills short rows. */
  readonly padId: number;
  /** Threads of one run. */
  readonly threads: number;
}

/**
 * Opens a model in ONNX Runtime with everything that its optimizer can do. The graph may take ids, a mask, segments and
 * positions, under their usual names; single texts only, so segments are zeros.
 *
 * @throws SluiceError `unavailable` when ONNX Runtime cannot be loaded; `invalid_argument` when it refuses the model, or
 * the model wants an input that cannot be made of ids.
 */
export async function openModelSession(
  model: Uint8Array,
  options: ModelSessionOptions,
): Promise<ModelSession> {
  const runtime = await loadOnnxRuntime();
  const session = await openOrtSession(runtime, model, options.threads);
  const makers = session.inputMetadata.map(toInputMaker);
  return {
    outputs: session.outputNames,
    run: async (batch, wanted = session.outputNames) => {
      const length = batch.reduce((longest, ids) => Math.max(longest, ids.length), 0);
      const feeds: Record<string, Tensor> = {};
      for (const make of makers) {
        const { name, data } = make({ batch, length, padId: options.padId });
        feeds[name] = new runtime.Tensor(data instanceof Int32Array ? "int32" : "int64", data, [
          batch.length,
          length,
        ]);
      }
      const values = await session.run(feeds, [...wanted]);
      return Object.fromEntries(wanted.map((name) => [name, toModelValue(name, values[name])]));
    },
    close: () => session.release(),
  };
}

/** The version of ONNX Runtime that models are run with. */
export async function readRuntimeVersion(): Promise<string> {
  const { env } = await loadOnnxRuntime();
  return env.versions.node ?? env.versions.common;
}

interface PaddedBatch {
  readonly batch: readonly Int32Array[];
  readonly length: number;
  readonly padId: number;
}

type InputMaker = (padded: PaddedBatch) => { name: string; data: BigInt64Array | Int32Array };

/** What each input holds at a position; `id` is undefined in the padding. */
const INPUT_VALUES: Readonly<
  Record<string, (id: number | undefined, position: number, padId: number) => number>
> = {
  ids: (id, _, padId) => id ?? padId,
  input_ids: (id, _, padId) => id ?? padId,
  attention_mask: (id) => (id === undefined ? 0 : 1),
  token_type_ids: () => 0,
  position_ids: (_, position) => position,
};

function toInputMaker(input: InferenceSession.ValueMetadata): InputMaker {
  const { name } = input;
  const toValue = INPUT_VALUES[name];
  const type = input.isTensor ? input.type : "no tensor";
  if (toValue === undefined || (type !== "int64" && type !== "int32")) {
    throw new SluiceError(
      "invalid_argument",
      `The model wants the input "${name}" (${type}); known are ${Object.keys(INPUT_VALUES).join(", ")}, int64 or int32.`,
    );
  }
  return ({ batch, length, padId }) => {
    const numbers = new Int32Array(batch.length * length);
    for (const [row, ids] of batch.entries()) {
      for (let at = 0; at < length; at++) {
        numbers[row * length + at] = toValue(ids[at], at, padId);
      }
    }
    return { name, data: type === "int32" ? numbers : BigInt64Array.from(numbers, BigInt) };
  };
}

function toModelValue(name: string, tensor: Tensor | undefined): ModelValue {
  if (!(tensor?.data instanceof Float32Array)) {
    throw new SluiceError("invalid_argument", `The model's value "${name}" is not float32.`);
  }
  return { dims: tensor.dims, data: tensor.data };
}
