import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { normalizeText } from "../../core/text/normalize.ts";

/** One text to learn from. */
export interface TrainingExample {
  readonly text: string;
  /** Index of the label. */
  readonly label: number;
  /** How many examples this one counts for; above 0. */
  readonly weight: number;
}

/**
 * Examples as ids, end to end in shared memory so that worker threads read them without copies: example `i` is
 * `ids[offsets[i]]` … `ids[offsets[i + 1] - 1]`. Nobody writes to it after {@link packExamples}.
 */
export interface ExampleSet {
  readonly size: number;
  /** `size + 1` positions in `ids`. */
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  readonly weights: Float32Array;
}

/** Normalizes and encodes the texts exactly as a server does. */
export function packExamples(
  examples: readonly TrainingExample[],
  tokenizer: Tokenizer,
): ExampleSet {
  const size = examples.length;
  const encoded = examples.map(({ text }) => {
    const [window] = tokenizer.encode(normalizeText(text)).windows;
    return window?.ids ?? new Int32Array();
  });
  const offsets = new Int32Array(new SharedArrayBuffer(4 * (size + 1)));
  encoded.forEach((ids, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + ids.length;
  });
  const ids = new Int32Array(new SharedArrayBuffer(4 * (offsets[size] ?? 0)));
  encoded.forEach((row, i) => {
    ids.set(row, offsets[i] ?? 0);
  });
  const labels = new Int32Array(new SharedArrayBuffer(4 * size));
  const weights = new Float32Array(new SharedArrayBuffer(4 * size));
  examples.forEach((example, i) => {
    labels[i] = example.label;
    weights[i] = example.weight;
  });
  return { size, offsets, ids, labels, weights };
}
