import { basename } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { normalizeText } from "../../core/text/normalize.ts";
import type { LabelledText } from "../data/labelled-text.ts";
import type { ReadExamplesOptions } from "../data/read-examples.ts";
import { readExamples } from "../data/read-examples.ts";
import { toTextKey } from "../data/text-key.ts";
import { splitExamples } from "../train/split-examples.ts";
import type { GateSet } from "./gate.ts";
import type { QuantizationTexts } from "./quantize-model.ts";

export interface QuantizationDataOptions {
  /** File of texts to calibrate with. */
  readonly dataPath: string;
  /** Files to measure on; without any, half of the data is held out. */
  readonly gatePaths: readonly string[];
  readonly read: ReadExamplesOptions;
  /** False: there are texts only. */
  readonly hasLabels: boolean;
  /** Names of the model's labels; empty when nobody knows them, then labels are numbers from 0. */
  readonly labels: readonly string[];
  /** At most so many texts calibrate, and as many choose. */
  readonly calibrationTexts: number;
  /** A normalized text as ids. */
  readonly encode: (text: string) => Int32Array;
}

/** Texts held out when there are no gate files. */
const GATE_SHARE = 0.5;
/** With fewer texts, all calibrate, and the same ones choose. */
const LEAST_TEXTS_TO_SPLIT = 128;
/** With fewer, ranges and figures would be chance. */
const LEAST_TEXTS = 20;

/**
 * Reads the texts and deals them out: to calibrate, to choose, to measure. Which text goes where depends on the text
 * alone, and none serves both sides: equal texts (see {@link toTextKey}) count once, and a text of a gate file leaves
 * the others.
 *
 * @throws SluiceError of {@link readExamples}; `invalid_argument` for labels that the model does not have, or fewer than
 * 20 texts to calibrate or to measure.
 */
export async function readQuantizationData(
  options: QuantizationDataOptions,
): Promise<QuantizationTexts> {
  const { dataPath, gatePaths, calibrationTexts, encode } = options;
  const data = await readTexts(dataPath, options);
  const gates: { name: string; examples: LabelledText[] }[] = [];
  for (const path of gatePaths) {
    gates.push({ name: basename(path), examples: await readTexts(path, options) });
  }
  const { kept, heldOut } =
    gates.length > 0
      ? { kept: withoutTexts(data, gates), heldOut: [] }
      : splitExamples(data, GATE_SHARE, "quantize: gate");
  if (gates.length === 0)
    gates.push({ name: `${basename(dataPath)}, held out`, examples: heldOut });
  for (const { name, examples } of [{ name: basename(dataPath), examples: kept }, ...gates]) {
    if (examples.length < LEAST_TEXTS) throw createTooFewError(name, examples.length);
  }
  const parts =
    kept.length < LEAST_TEXTS_TO_SPLIT
      ? { kept, heldOut: [] }
      : splitExamples(kept, 0.5, "quantize: selection");
  const toIds = ({ text }: LabelledText) => encode(normalizeText(text));
  return {
    calibration: pickEvenly(parts.kept, calibrationTexts).map(toIds),
    selection: pickEvenly(parts.heldOut, calibrationTexts).map(toIds),
    gate: gates.map(
      ({ name, examples }): GateSet => ({
        name,
        texts: examples.map(toIds),
        labels: options.hasLabels
          ? examples.map(({ label }) => toLabelIndex(label, options.labels))
          : undefined,
      }),
    ),
  };
}

async function readTexts(
  path: string,
  { read, hasLabels }: QuantizationDataOptions,
): Promise<LabelledText[]> {
  // A reader of labelled texts wants a label; where there is none, the text stands in for it.
  const columns = hasLabels ? read : { ...read, label: read.text };
  const { examples } = await readExamples(path, columns);
  const seen = new Set<string>();
  return examples.filter(({ text }) => {
    const key = toTextKey(text);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function withoutTexts(
  data: readonly LabelledText[],
  gates: readonly { readonly examples: readonly LabelledText[] }[],
): LabelledText[] {
  const taken = new Set(
    gates.flatMap(({ examples }) => examples.map(({ text }) => toTextKey(text))),
  );
  return data.filter(({ text }) => !taken.has(toTextKey(text)));
}

/** Files are often sorted by label, so the first few would be all of one kind. */
function pickEvenly<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, i) => items[Math.floor((i * items.length) / count)] as Item,
  );
}

function toLabelIndex(label: string, labels: readonly string[]): number {
  const named = labels.indexOf(label);
  if (named >= 0) return named;
  const isNumber = /^\d{1,6}$/.test(label);
  if (isNumber && (labels.length === 0 || Number(label) < labels.length)) return Number(label);
  const known = labels.length === 0 ? "numbers from 0" : labels.join(", ");
  throw new SluiceError(
    "invalid_argument",
    `The model does not know the label ${JSON.stringify(label)}; it knows ${known}. Use --rename, or --unlabelled.`,
  );
}

function createTooFewError(name: string, count: number): SluiceError {
  return new SluiceError(
    "invalid_argument",
    `${name} leaves ${count} different texts; at least ${LEAST_TEXTS} are needed, better are some hundreds.`,
  );
}
