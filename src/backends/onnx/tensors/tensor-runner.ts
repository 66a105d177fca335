import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { SluiceError } from "../../../core/errors.ts";
import type { Tensor, TensorDatatype, TensorSignature } from "../../../core/ports/tensor.ts";
import type { OrtRuntime, SessionSpec } from "../session/open-session.ts";
import { importOrt, loadOrt, openOnDevice } from "../session/open-session.ts";
import { toOrtType, toSignature } from "./to-signature.ts";

/**
 * A loaded model of tensors on the calling thread.
 *
 * Concurrency: the caller waits for one `run` before it starts the next.
 */
export interface TensorRunner {
  readonly signature: TensorSignature;
  /** What computes it and what of it cannot be asked for, for people. */
  readonly description: string;
  /** See `TensorBackend.run`. */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]>;
  /** Frees the model's memory. Called once, when nothing runs. */
  close(): Promise<void>;
}

/**
 * Loads a model of tensors into ONNX Runtime on the calling thread. Its `run` blocks the thread until it is done,
 * whatever promise it returns.
 *
 * @throws SluiceError `unavailable` when the package or the device's provider is missing; `invalid_argument` when the
 * file cannot be loaded, or has inputs that cannot be given
 */
export async function createTensorRunner(spec: SessionSpec): Promise<TensorRunner> {
  const runtime = await loadOrt(importOrt);
  const { session, note } = await openOnDevice(runtime, spec);
  try {
    const { signature, leftOut } = toSignature(session.inputMetadata, session.outputMetadata);
    const without = leftOut.length === 0 ? "" : `, without ${leftOut.join(", ")} (no tensor)`;
    return {
      signature,
      description: `onnxruntime${note}${without}`,
      run: (inputs, outputs) => runSession(runtime, session, signature, { inputs, outputs }),
      close: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function runSession(
  runtime: OrtRuntime,
  session: InferenceSession,
  signature: TensorSignature,
  { inputs, outputs }: { inputs: readonly Tensor[]; outputs: readonly string[] },
): Promise<readonly Tensor[]> {
  for (const input of inputs) assertTexts(input);
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrt(runtime, input)]));
  let values: InferenceSession.OnnxValueMapType;
  try {
    values = await session.run(feeds, outputs);
  } catch (cause) {
    // The library's own words may hold paths and weights' names, so they stay with the cause.
    throw new SluiceError("model_failed", "The model failed on these inputs.", { cause });
  }
  return outputs.map((name) => {
    const spec = signature.outputs.find((output) => output.name === name);
    const value = values[name];
    if (spec === undefined || value === undefined) {
      throw new SluiceError("model_failed", `The model gave no output ${name}.`);
    }
    return fromOrt(name, spec.datatype, value);
  });
}

/** ONNX has strings, which are UTF-8, where others have bytes. */
function assertTexts({ name, datatype, data }: Tensor): void {
  if (datatype !== "BYTES") return;
  const index = data.findIndex((value) => typeof value !== "string");
  if (index < 0) return;
  const field = `inputs.${name}`;
  const problem = `must hold texts in UTF-8; element ${index} is none`;
  throw new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}

function toOrt(runtime: OrtRuntime, { datatype, data, shape }: Tensor): OrtTensor {
  const isHalf = datatype === "FP16";
  // The constructor has one signature per type; `toSignature` and the core's checks see to it that type and data agree.
  const type = (isHalf ? "uint16" : toOrtType(datatype)) as "float32";
  const tensor = new runtime.Tensor(type, data as Float32Array, [...shape]);
  // Where the engine has an array of half floats (Node 24), the constructor insists on one, of which the library's
  // binding then finds no bytes. The bits are taken as they are when the type is named afterwards.
  if (isHalf) Reflect.set(tensor, "type", "float16");
  return tensor;
}

function fromOrt(name: string, datatype: TensorDatatype, { data, dims }: OrtTensor): Tensor {
  const isHalf = datatype === "FP16" && ArrayBuffer.isView(data);
  const values = isHalf ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
  // The graph says which type it is, so this is the array that the datatype has.
  return { name, datatype, shape: [...dims], data: values } as Tensor;
}
