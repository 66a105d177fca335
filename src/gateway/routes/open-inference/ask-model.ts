import type { Tensor } from "../../../core/ports/tensor.ts";
import type { AskableModel, ModelAnswer } from "../../../core/tensors/ask-model.ts";
import { toClasses } from "../../../protocols/open-inference/classification.ts";
import type { InferParameters } from "../../../protocols/open-inference/infer-parameters.ts";
import type { Call } from "../../call.ts";
import type { InferenceCaller } from "../inference.ts";

/** A decoded request, over whatever transport it came. */
interface InferQuestion {
  readonly parameters: InferParameters;
  readonly inputs: readonly Tensor[];
  /** `undefined` = what the model answers unasked. */
  readonly outputs: readonly WantedOutput[] | undefined;
}

interface WantedOutput {
  readonly name: string;
  /** How many of the best classes to answer with instead of the numbers. */
  readonly classification: number | undefined;
}

/** From this number on, a request is work that nobody waits for. 1 is the highest, and 0 is said by those who say none. */
const FIRST_BULK_PRIORITY = 2;

/** Asks a model, and gives its outputs as they were asked for. @throws SluiceError see `askModel` */
export async function askOpenInference(
  inference: InferenceCaller,
  call: Call,
  askable: AskableModel,
  { parameters, inputs, outputs: wanted }: InferQuestion,
): Promise<ModelAnswer> {
  const answer = await inference.ask(call, askable, {
    inputs,
    outputs: wanted?.map(({ name }) => name),
    lane: parameters.priority >= FIRST_BULK_PRIORITY ? "bulk" : "online",
    isCopy: parameters.isCopy,
    timeoutMs: parameters.timeoutUs === undefined ? undefined : parameters.timeoutUs / 1000,
  });
  const outputs = answer.outputs.map((tensor) => {
    const output = wanted?.find(({ name }) => name === tensor.name);
    return toWanted(tensor, output?.classification, askable);
  });
  return { ...answer, outputs };
}

/** The output as it was asked for: as it is, or its best classes. */
function toWanted(
  tensor: Tensor,
  count: number | undefined,
  { signature, extraOutputs, texts }: AskableModel,
): Tensor {
  if (count === undefined) return tensor;
  const { name, shape } = tensor;
  const spec = [...signature.outputs, ...extraOutputs].find((output) => output.name === name);
  // A list of fixed length is one row; one of any length has a row for each of its elements.
  const isBatched = shape.length > 1 || (shape.length === 1 && spec?.shape?.[0] === null);
  const labels = texts?.manifest.labels;
  const isPerLabel = shape.length === 2 && shape[1] === labels?.length;
  return toClasses(tensor, { count, isBatched, labels: isPerLabel ? labels : undefined });
}
