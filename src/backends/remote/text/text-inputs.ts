import { SluiceError } from "../../../core/errors.ts";
import type { Tensor, TensorSignature, TensorSpec } from "../../../core/ports/tensor.ts";
import type { CarriedText } from "./carrier-tokenizer.ts";

/** Names of the inputs of a remote model that hold texts. */
export interface TextInputs {
  readonly text: string;
  /** The second text; undefined: the model reads one. */
  readonly pair: string | undefined;
}

/** What Sluice calls its second text. */
const PAIR = "pair";

/**
 * The inputs that hold the texts: the only one of BYTES, or the only one that must be given beside one called `pair`.
 * Pure.
 *
 * @param stated names that somebody has stated, which win
 * @throws SluiceError `invalid_argument` when that is not clear, a name does not exist, or the model needs other inputs
 */
export function findTextInputs(
  { inputs }: TensorSignature,
  stated: Partial<TextInputs>,
): TextInputs {
  const texts = inputs.filter(({ datatype }) => datatype === "BYTES");
  const pair = stated.pair ?? texts.find(({ name }) => name === PAIR)?.name;
  const rest = texts.filter(({ name, isOptional }) => name !== pair && isOptional !== true);
  const text = stated.text ?? (rest.length === 1 ? rest[0]?.name : undefined);
  const found = { text: text ?? "", pair };
  const isKnown = [text, pair].every(
    (name) => name === undefined || texts.some((input) => input.name === name),
  );
  const needsMore = inputs.some(
    ({ name, isOptional }) => isOptional !== true && name !== text && name !== pair,
  );
  if (text !== undefined && isKnown && !needsMore) return found;
  const names = inputs.map(({ name, datatype }) => `${name} (${datatype})`).join(", ");
  throw new SluiceError(
    "invalid_argument",
    `Which input of the remote model holds the texts is not clear, or it needs others; state its name. It has: ${names}.`,
  );
}

/**
 * Texts as the model's inputs: BYTES `[n]`, or `[n, 1]` where the model states two dimensions. Pure.
 *
 * @throws SluiceError `invalid_argument` when there is a second text and no input for it, or for some texts only
 */
export function toTextTensors(
  { inputs }: TensorSignature,
  names: TextInputs,
  texts: readonly CarriedText[],
): readonly Tensor[] {
  const specOf = (name: string) => inputs.find((input) => input.name === name);
  const first = toTensor(
    names.text,
    specOf(names.text),
    texts.map(({ text }) => text),
  );
  const pairs = texts.flatMap(({ pair }) => (pair === undefined ? [] : [pair]));
  if (pairs.length === 0) return [first];
  if (names.pair === undefined || pairs.length !== texts.length) {
    const problem =
      names.pair === undefined
        ? "This model reads one text at a time, not a pair."
        : "Texts with and without a second one cannot run together.";
    throw new SluiceError("invalid_argument", problem);
  }
  return [first, toTensor(names.pair, specOf(names.pair), pairs)];
}

function toTensor(name: string, spec: TensorSpec | undefined, data: readonly string[]): Tensor {
  const shape = spec?.shape?.length === 2 ? [data.length, 1] : [data.length];
  return { name, datatype: "BYTES", shape, data };
}
