import { formatConfusion, toPercent, toPercentRange } from "../evaluate/format-report.ts";
import type { TestResult } from "./test-result.ts";

export interface LabelledFileCardInput {
  readonly name: string;
  readonly version: string;
  readonly data: { readonly file: string; readonly texts: number; readonly kept: number };
  readonly labels: readonly string[];
  readonly heldOut: TestResult | undefined;
}

/** A model card with what is known, and room for what only its owner knows. */
export function createLabelledFileCard(input: LabelledFileCardInput): string {
  const { name, version, data, labels, heldOut } = input;
  return `# ${name} ${version}

Tells ${labels.length} labels apart: ${labels.join(", ")}.

## Results

${describeHeldOut(heldOut, labels)}

## Training data

${data.texts} texts from \`${data.file}\`, ${data.kept} of them trained on after dropping repetitions and holding texts out.
Settings and a digest of the texts are in \`manifest.json\` under \`training\`.

## Intended use, origin and licence of the data, known limits

To be written by whoever publishes this model.
`;
}

function describeHeldOut(heldOut: TestResult | undefined, labels: readonly string[]): string {
  if (heldOut === undefined) return "Not measured: no texts were held out.";
  const { metrics } = heldOut;
  return (
    `On ${metrics.count} held-out texts: accuracy ${toPercent(metrics.accuracy)} ` +
    `(95 %: ${toPercentRange(metrics.accuracyInterval)}), balanced accuracy ${toPercent(metrics.balancedAccuracy)}, ` +
    `macro F1 ${toPercent(metrics.macroF1)}, calibration error ${metrics.calibrationError.toFixed(3)}. These texts also ` +
    `decided when to stop and how to calibrate, so expect a little less on new ones.\n\n\`\`\`text\n${formatConfusion(metrics.confusion, labels)}\n\`\`\``
  );
}
