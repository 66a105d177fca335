import { Command, Option } from "commander";
import { readExamples } from "../model-tools/data/read-examples.ts";
import type { Classifier } from "../model-tools/evaluate/evaluate-classifier.ts";
import { evaluateClassifier } from "../model-tools/evaluate/evaluate-classifier.ts";
import { formatMetrics } from "../model-tools/evaluate/format-report.ts";

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

interface EvaluateFlags {
  readonly text: string;
  readonly label: string;
  readonly format?: "csv" | "tsv" | "jsonl";
  readonly skipBadRows?: boolean;
  readonly json?: boolean;
}

/** `sluice evaluate`: measures a model package on labelled texts, through the code that serves it. */
export function createEvaluateCommand(options: EvaluateCommandOptions): Command {
  const { openClassifier, write = (text: string) => process.stdout.write(text) } = options;
  return new Command("evaluate")
    .description("Measure a model package on labelled texts.")
    .argument("<package>", "folder of the package, e.g. models/text-classification/1.0.0")
    .argument("<file>", "labelled texts: .csv, .tsv or .jsonl, also .gz")
    .option("--text <column>", "column of the text: name, or number from 1 without header", "text")
    .option("--label <column>", "column of the label", "label")
    .addOption(new Option("--format <format>", "of the file").choices(["csv", "tsv", "jsonl"]))
    .option("--skip-bad-rows", "leave rows out that cannot be used, instead of stopping")
    .option("--json", "print JSON")
    .action(async (packageFolder: string, file: string, flags: EvaluateFlags) => {
      const classifier = await openClassifier(packageFolder);
      try {
        const { text, label, format, skipBadRows } = flags;
        const { examples, badRows } = await readExamples(file, {
          text,
          label,
          labels: classifier.labels,
          ...(format === undefined ? {} : { format }),
          ...(skipBadRows === undefined ? {} : { skipBadRows }),
        });
        const metrics = await evaluateClassifier(classifier, examples);
        const { labels } = classifier;
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
    });
}
