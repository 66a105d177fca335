import { SluiceError } from "../../../core/errors.ts";
import type { Backend, BatchRows, TextReading } from "../../../core/ports/backend.ts";
import type { Clock } from "../../../core/ports/clock.ts";
import type { RunOptions } from "../../../core/ports/run-options.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { TensorBackend } from "../../../core/ports/tensor-backend.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { CarriedText } from "./carrier-tokenizer.ts";
import { toCarriedText } from "./carrier-tokenizer.ts";
import { measureRemoteCost } from "./measure-remote-cost.ts";
import type { TextInputs } from "./text-inputs.ts";
import { findTextInputs, toTextTensors } from "./text-inputs.ts";
import type { TextOutput } from "./text-output.ts";
import { findTextOutput, LOGITS } from "./text-output.ts";
import type { AppliedFunction } from "./to-rows.ts";
import { toRows } from "./to-rows.ts";

/** A model of texts behind a model of tensors. */
export interface RemoteTextOptions {
  /** Runs the model. Closed with this one. */
  readonly tensors: TensorBackend;
  readonly clock: Pick<Clock, "nowMs">;
  /** All labels of the model in its order; empty for a model that gives vectors; one for a model that scores pairs. */
  readonly labels: readonly string[];
  /** What the model's scores are made with, there and by the gateway; `none` for vectors. */
  readonly appliedFunction: AppliedFunction;
  /** The model reads two texts, and cannot be asked about one. */
  readonly needsPairs?: boolean;
  /** Names of the inputs that hold the texts; found in the signature where they are left out. */
  readonly inputs?: Partial<TextInputs>;
  /** The output that answers; found where it is left out. */
  readonly output?: TextOutput;
  /** Its server is a Sluice, which also tells how each text was read. */
  readonly tellsReadings?: boolean;
}

/**
 * A backend for texts that other servers read by themselves. Texts come as `createCarrierTokenizer` encodes them, and go
 * out as one tensor of BYTES per batch. Nothing is padded. The model is tried, and its cost measured, before it is
 * returned.
 *
 * @throws SluiceError `invalid_argument` when it is not clear which input holds the texts or which output answers them;
 * whatever the first run throws. `tensors` stays open then.
 */
export async function createRemoteTextBackend(options: RemoteTextOptions): Promise<Backend> {
  const { tensors, clock, labels, appliedFunction, needsPairs = false } = options;
  const inputs = findTextInputs(tensors.signature, options.inputs ?? {});
  const output = options.output ?? (await discoverOutput(options, inputs));
  const { name, holds, labelsName } = output;
  const answering = labelsName === undefined ? [name] : [name, labelsName];
  const wanted = options.tellsReadings === true ? [...answering, ...READING_OUTPUTS] : answering;
  const runAlike = async (
    texts: readonly CarriedText[],
    about?: RunOptions,
  ): Promise<readonly TextAnswer[]> => {
    const asked = toTextTensors(tensors.signature, inputs, texts);
    const answer = await tensors.run(asked, wanted, about);
    const [values] = answer;
    if (values === undefined) throw new SluiceError("model_failed", "The model answered nothing.");
    const names = labelsName === undefined ? undefined : answer[1];
    const rows = toRows(texts.length, values, names, { holds, labels, appliedFunction });
    const readings = toReadings(answer);
    return rows.map((row, index) => ({ row, reading: readings[index] }));
  };
  const run = async (batch: readonly EncodedText[], about?: RunOptions): Promise<BatchRows> =>
    toBatchRows(await runByKind(batch.map(toCarriedText), (texts) => runAlike(texts, about)));
  const cost = await measureRemoteCost(run, needsPairs, () => clock.nowMs());
  return {
    slots: tensors.slots,
    parallelRuns: tensors.parallelRuns,
    description: tensors.description,
    cost,
    pads: false,
    run,
    close: () => tensors.close(),
  };
}

/** What came of one text. */
interface TextAnswer {
  readonly row: Float32Array;
  readonly reading: TextReading | undefined;
}

function toBatchRows(answers: readonly TextAnswer[]): BatchRows {
  const rows = answers.map(({ row }) => row);
  const readings = answers.flatMap(({ reading }) => (reading === undefined ? [] : [reading]));
  return readings.length === rows.length ? Object.assign(rows, { readings }) : rows;
}

/** What Sluice calls the outputs that tell how a text was read. */
const READING_OUTPUTS = ["windows", "truncated"] as const;

function toReadings(answer: readonly Tensor[]): readonly TextReading[] {
  const [windows = [], truncated = []] = READING_OUTPUTS.map((name) => numbersOf(answer, name));
  return windows.map((count, index) => ({ windows: count, truncated: truncated[index] === 1 }));
}

function numbersOf(answer: readonly Tensor[], wanted: string): readonly number[] {
  const tensor = answer.find(({ name }) => name === wanted);
  if (tensor?.datatype !== "INT32" && tensor?.datatype !== "BOOL") return [];
  return Array.from(tensor.data);
}

/** Texts and pairs differ in their inputs, so a batch that holds both becomes two, one after the other. */
async function runByKind(
  texts: readonly CarriedText[],
  runAlike: (texts: readonly CarriedText[]) => Promise<readonly TextAnswer[]>,
): Promise<readonly TextAnswer[]> {
  const isPair = ({ pair }: CarriedText) => pair !== undefined;
  const pairs = texts.filter(isPair);
  if (pairs.length === 0 || pairs.length === texts.length) return runAlike(texts);
  const ofPairs = (await runAlike(pairs)).values();
  const ofTexts = (await runAlike(texts.filter((text) => !isPair(text)))).values();
  return texts.flatMap((text) => (isPair(text) ? ofPairs : ofTexts).next().value ?? []);
}

const SAMPLE: CarriedText = { text: "hello", pair: undefined };

/** Sluice gives logits to those who ask, though it lists other outputs; other servers refuse what they do not list. */
async function discoverOutput(
  { tensors, labels, needsPairs }: RemoteTextOptions,
  inputs: TextInputs,
): Promise<TextOutput> {
  const lists = tensors.signature.outputs.some(({ name }) => name === LOGITS);
  if (labels.length > 0 && !lists) {
    const sample = needsPairs ? { ...SAMPLE, pair: SAMPLE.text } : SAMPLE;
    const asked = toTextTensors(tensors.signature, inputs, [sample]);
    if (await answersLogits(tensors, asked, labels.length))
      return { name: LOGITS, holds: "logits" };
  }
  return findTextOutput(tensors.signature, labels.length);
}

async function answersLogits(
  tensors: TensorBackend,
  asked: readonly Tensor[],
  labels: number,
): Promise<boolean> {
  try {
    const [logits] = await tensors.run(asked, [LOGITS]);
    return logits?.datatype === "FP32" && logits.data.length === labels;
  } catch {
    return false;
  }
}
