import type { Tensor } from "../../core/ports/tensor.ts";
import { encodePredict } from "./encode-predict.ts";

/** Body of `:predict` in column form, for another server. */
export function encodePredictRequest(inputs: readonly Tensor[]): string {
  // As answers are written, but with every input by its name, also the only one.
  const members = inputs.map((input) => {
    const alone = encodePredict([input], { form: "column", rows: 0, strictJson: false });
    return `${JSON.stringify(input.name)}:${alone.slice('{"outputs":'.length, -1)}`;
  });
  return `{"inputs":{${members.join()}}}`;
}
