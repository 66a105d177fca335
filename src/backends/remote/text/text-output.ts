import { SluiceError } from "../../../core/errors.ts";
import type { TensorSignature } from "../../../core/ports/tensor.ts";

/**
 * What an output's numbers are. `logits` and `vector`: what the model itself gave. `probabilities` and `score`: what
 * came of it by the model's function; one per label, and one per text. `labels`: the scores of a list of labels, whose
 * names another output holds.
 */
export const OUTPUT_MEANINGS = ["logits", "probabilities", "vector", "score", "labels"] as const;
export type OutputMeaning = (typeof OUTPUT_MEANINGS)[number];

/** Which output of a remote model answers a text, and how. */
export interface TextOutput {
  readonly name: string;
  readonly holds: OutputMeaning;
  /** Where the names are that belong to the scores; only with `labels`. */
  readonly labelsName?: string;
}

/** What Sluice calls its logits. It gives them to those who ask and lists them for nobody. */
export const LOGITS = "logits";

/** Names by which servers tell what an output holds, best first. */
const KNOWN_NAMES: readonly TextOutput[] = [
  { name: LOGITS, holds: "logits" },
  { name: "vector", holds: "vector" },
  { name: "probabilities", holds: "probabilities" },
  { name: "scores", holds: "labels", labelsName: "labels" },
  { name: "scores", holds: "probabilities" },
  { name: "score", holds: "score" },
];

/**
 * The output to use where nobody says: one with a name that tells what it holds, or the only one of FP32 with one row
 * per text, which then holds logits, or a vector where the model has no labels. Pure.
 *
 * @param labels how many the model has; 0 = it gives vectors
 * @throws SluiceError `invalid_argument` when that leaves more than one, or none
 */
export function findTextOutput({ outputs }: TensorSignature, labels: number): TextOutput {
  const datatypeOf = (name: string) => outputs.find((output) => output.name === name)?.datatype;
  for (const known of KNOWN_NAMES) {
    if (datatypeOf(known.name) !== "FP32") continue;
    if (known.labelsName !== undefined && datatypeOf(known.labelsName) !== "BYTES") continue;
    if ((known.holds === "vector") === (labels === 0)) return known;
  }
  const candidates = outputs.filter(
    ({ datatype, shape }) => datatype === "FP32" && (shape === undefined || shape.length === 2),
  );
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) {
    return { name: only.name, holds: labels === 0 ? "vector" : "logits" };
  }
  const names = outputs.map(({ name }) => name).join(", ");
  throw new SluiceError(
    "invalid_argument",
    `Which output of the remote model answers a text is not clear; state its name and what it holds. It has: ${names}.`,
  );
}
