import { Command } from "commander";
import { readExamples } from "../model-tools/data/read-examples.ts";
import type { Classifier } from "../model-tools/evaluate/evaluate-classifier.ts";
import { evaluateClassifier } from "../model-tools/evaluate/evaluate-classifier.ts";
import { formatMetrics } from "../model-tools/evaluate/format-report.ts";
import type { DataFileFlags } from "./data-file-options.ts";
import { addDataFileOptions, toReadOptions } from "./data-file-options.ts";

/** What the command gets from outside. */
export interface EvaluateCommandOptions {
  /** Loads a package folder the way a server does. */
  readonly openClassifier: (packageFolder: string) => Promise<OpenClassifier>;
  /** Receives what the command prints. Default: standard output. */
  readonly write?: (text: string) => void;
}

/** A classifier with something to let go of. */
export interface OpenClassifier extends Classifier {
  close?(): Promise<void>;
}

interface EvaluateFlags extends DataFileFlags {
  readonly json?: boolean;
}

/** `sluice evaluate`: measures a model package on labelled texts, through the code that serves it. */
export function createEvaluateCommand(options: EvaluateCommandOptions): Command {
  const { openClassifier, write = (text: string) => process.stdout.write(text) } = options;
  const command = new Command("evaluate")
    .description("Measure a model package on labelled texts.")
    .argument("<package>", "folder of the package, e.g. models/text-classification/1.0.0")
    .argument("<file>", "labelled texts: .csv, .tsv or .jsonl, also .gz")
    .option("--json", "print JSON");
  return addDataFileOptions(command).action(
    async (packageFolder: string, file: string, flags: EvaluateFlags) => {
      const classifier = await openClassifier(packageFolder);
      try {
        const { labels } = classifier;
        const { examples, badRows } = await readExamples(file, { ...toReadOptions(flags), labels });
        const metrics = await evaluateClassifier(classifier, examples);
        if (flags.json === true) {
          const report = { labels, ...metrics, badRows: badRows.length };
          write(`${JSON.stringify(report, null, 2)}\n`);
        } else {
          const skipped = badRows.length === 0 ? "" : `Left out ${badRows.length} bad rows.\n`;
          write(`${skipped}${formatMetrics(metrics, labels)}\n`);
        }
      } finally {
        await classifier.close?.();
      }
    },
  );
}
