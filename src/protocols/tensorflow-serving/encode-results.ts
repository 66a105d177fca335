import { formatFloat32 } from "../format-float.ts";
import type { Class } from "./example-answers.ts";

/**
 * Body of the answer of `:classify`: for every example a list of `[label, score]`, in the model's order. The member is
 * `results`, as the program and its tests have it; the public page says `result`.
 */
export function encodeClassifications(classifications: readonly (readonly Class[])[]): string {
  const results = classifications.map((classes) => {
    const pairs = classes.map(({ label, score }) => `[${JSON.stringify(label)},${write(score)}]`);
    return `[${pairs.join()}]`;
  });
  return `{"results":[${results.join()}]}`;
}

/** Body of the answer of `:regress`: a number for every example. */
export function encodeRegressions(values: readonly number[]): string {
  return `{"results":[${values.map(write).join()}]}`;
}

/** Non-finite numbers are bare words, as everywhere in this dialect. */
function write(value: number): string {
  return Number.isFinite(value) ? formatFloat32(value) : String(value);
}
